/** Facts about the machine that a reader needs to place the figures. */
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { median } from './stats.ts'

/** Linux's names of the file systems that matter here (statfs(2)); a number where it is another. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
}

/** One fact a line. `directory` is where the data of the benchmarks is. */
export function machineFacts(directory: string, commit: string): string[] {
  const [cpu] = cpus()
  const magic = statfsSync(directory).type
  return [
    `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB of memory, ${type()} ${release()}`,
    `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    `data on ${FILE_SYSTEMS[magic] ?? `file system 0x${magic.toString(16)}`}; one append of 500 bytes and fdatasync: ${syncCostMs(directory).toFixed(3)} ms (median of 300)`,
    `load of the machine at the start (1, 5, 15 minutes): ${loadAverage()}`,
    `commit ${commit}, ${new Date().toISOString().slice(0, 10)}`,
  ]
}

function syncCostMs(directory: string): number {
  const path = join(directory, 'sync-cost')
  const bytes = Buffer.alloc(500, 'x')
  const fd = openSync(path, 'a')
  try {
    const times = Array.from({ length: 300 }, () => {
      const startMs = performance.now()
      writeSync(fd, bytes)
      fdatasyncSync(fd)
      return performance.now() - startMs
    })
    return median(times)
  } finally {
    closeSync(fd)
    rmSync(path)
  }
}

function loadAverage(): string {
  try {
    return readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(', ')
  } catch {
    return 'not known on this system'
  }
}
