/**
 * `.agentry/epoch`: how often the data directory has been taken over, the base of all claim tokens.
 *
 * One line: the epoch in decimal, a space, `crc32:` and the checksum (checksum.ts) of the decimal. The checksum keeps a flipped bit
 * from being a lower epoch: with it a damaged file is known to be one.
 */
import { checksum } from './checksum.ts'
import { MAX_EPOCH } from './claims.ts'
import { type DurableFs, writeFileAtomic } from './durable-fs.ts'
import { readOwnFile } from './own-files.ts'

const LINE = /^([1-9]\d{0,9}) crc32:([0-9a-f]{8})\n$/

/** The epoch in the file; 0 where there is none yet; undefined where something is there that is no epoch. */
export function readEpoch(fs: DurableFs, path: string): number | undefined {
  const file = readOwnFile(fs, path)
  if (file.kind === 'missing') return 0
  if (file.kind === 'foreign') return undefined
  const [, decimal, sum] = LINE.exec(file.content) ?? []
  if (decimal === undefined || sum !== checksum(decimal)) return undefined
  const epoch = Number(decimal)
  return epoch < MAX_EPOCH ? epoch : undefined
}

/** Durable when it returns; after a crash or a throw the old epoch or the new one is there. */
export function writeEpoch(fs: DurableFs, path: string, epoch: number): void {
  const decimal = String(epoch)
  writeFileAtomic(fs, path, `${decimal} crc32:${checksum(decimal)}\n`)
}
