/**
 * A file system whose calls can be made to fail: with an errno, short, for want of room, or for good from the n-th call on (a crash).
 * It works on real files, so that what a failure leaves behind is what a real one leaves. Syncs are counted and can fail, but are not
 * made: no test cuts the power.
 */
import { createDurableFs, type DurableFs, systemCalls, type SystemCalls } from '../../src/store/durable-fs.ts'
import { Crash, observeCalls } from './observe-calls.ts'

type CallName = keyof SystemCalls

export class FailingFs {
  readonly fs: DurableFs
  readonly #failures: { call: CallName; errno: string; left: number }[] = []
  #names: CallName[] = []
  #crashAt = Infinity
  #crashTearsWrites = false
  #shortWriteBytes = Infinity
  #roomBytes = Infinity
  #roomErrno = 'ENOSPC'

  constructor() {
    const unsynced = { ...systemCalls, fsync() {}, fdatasync() {} }
    const observed = observeCalls(unsynced, (name) => this.#before(name))
    this.fs = createDurableFs({ ...observed, write: (...call) => this.#write(...call) })
  }

  /** The calls made since the start or the last mend(), closing left out. */
  get names(): readonly CallName[] {
    return this.#names
  }

  /** The next `times` calls of this name throw, without an effect. */
  fail(call: CallName, errno: string, times = 1): void {
    this.#failures.push({ call, errno, left: times })
  }

  /** Every write takes at most so many bytes. */
  limitWrites(bytes: number): void {
    this.#shortWriteBytes = bytes
  }

  /** Writes take so many more bytes in all, then they fail. */
  limitRoom(bytes: number, errno = 'ENOSPC'): void {
    this.#roomBytes = bytes
    this.#roomErrno = errno
  }

  /** The n-th call from now (1 is the next) and all behind it are not made; with `tearing`, half of a write that is the n-th is. */
  crashAt(n: number, { tearing = false }: { tearing?: boolean } = {}): void {
    this.#crashAt = this.#names.length + n
    this.#crashTearsWrites = tearing
  }

  /** Everything works again, and calls are counted anew. */
  mend(): void {
    this.#failures.length = 0
    this.#names = []
    this.#crashAt = Infinity
    this.#shortWriteBytes = Infinity
    this.#roomBytes = Infinity
  }

  #before(name: CallName): void {
    this.#names.push(name)
    const calls = this.#names.length
    if (calls >= this.#crashAt) throw new Crash(`at call ${calls} (${name})`)
    const failure = this.#failures.find(({ call, left }) => call === name && left > 0)
    if (failure === undefined) return
    failure.left -= 1
    throw errnoError(failure.errno, name)
  }

  #write(...[fd, buffer, offset, length]: Parameters<SystemCalls['write']>): number {
    try {
      this.#before('write')
    } catch (error) {
      const isTorn = error instanceof Crash && this.#crashTearsWrites && this.#names.length === this.#crashAt
      if (isTorn) systemCalls.write(fd, buffer, offset, Math.floor(length / 2))
      throw error
    }
    const taken = Math.min(length, this.#shortWriteBytes, this.#roomBytes)
    if (taken === 0 && length > 0) throw errnoError(this.#roomErrno, 'write')
    this.#roomBytes -= taken
    return systemCalls.write(fd, buffer, offset, taken)
  }
}

function errnoError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call })
}
