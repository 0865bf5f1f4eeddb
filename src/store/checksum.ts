import { crc32 } from 'node:zlib'

/**
 * The CRC-32 of zlib over `bytes` (a string: over its UTF-8), as 8 hex digits in lower case: what guards every line of a journal and
 * both parts of a snapshot. It finds accidents (every change of up to 32 bits in a row), not forgery: who can write the files can
 * write any session anyway.
 */
export function checksum(bytes: Uint8Array | string): string {
  return crc32(bytes).toString(16).padStart(8, '0')
}
