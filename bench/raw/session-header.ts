/** What of a snapshot the catalog needs, by the least code. */
import { closeSync, openSync, readSync } from 'node:fs'

/** More than a header of the benchmarks' sessions has. */
const HEADER_BYTES = 16 * 1024
const buffer = Buffer.alloc(HEADER_BYTES)

export function readHeader(path: string): unknown {
  const fd = openSync(path, 'r')
  const length = readSync(fd, buffer, 0, HEADER_BYTES, 0)
  closeSync(fd)
  const end = buffer.subarray(0, length).indexOf('\n  "memory":')
  if (end === -1) throw new Error(`expected the header of ${path} within ${HEADER_BYTES} bytes`)
  return JSON.parse(`${buffer.toString('utf8', 0, end)}"memory":[]}`)
}
