/** Directories for the data of benchmarks, removed when their use ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where data goes: AGENTRY_BENCH_DIR, else the system's directory for temporary files. A tmpfs measures no disk. */
export const dataRoot: string = process.env['AGENTRY_BENCH_DIR'] ?? tmpdir()

/** Runs `use` with a new, empty directory. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(dataRoot, 'agentry-bench-'))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
