import { createDurableFs, type DurableFs, type SystemCalls, systemCalls } from '../../src/store/durable-fs.ts'

/** The real file system, where chosen calls fail with a chosen errno until it is healed. */
export class FaultyDisk {
  readonly fs: DurableFs
  readonly #faults = new Map<keyof SystemCalls, string>()

  constructor() {
    const calls = { ...systemCalls } as Record<keyof SystemCalls, (...args: unknown[]) => unknown>
    for (const name of Object.keys(systemCalls) as (keyof SystemCalls)[]) {
      const real = calls[name]
      calls[name] = (...args) => {
        const errno = this.#faults.get(name)
        if (errno !== undefined) throw Object.assign(new Error(`injected ${errno}`), { code: errno })
        return real(...args)
      }
    }
    this.fs = createDurableFs(calls as unknown as SystemCalls)
  }

  fail(errno: string, ...calls: (keyof SystemCalls)[]): void {
    for (const call of calls) this.#faults.set(call, errno)
  }

  heal(): void {
    this.#faults.clear()
  }
}
