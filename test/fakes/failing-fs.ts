/**
 * A file system whose calls can be made to fail: with an errno, short, for want of room, or for good from the n-th call on (a crash).
 * It works on real files, so that what a failure leaves behind is what a real one leaves.
 */
import { createDurableFs, type DurableFs, systemCalls, type SystemCalls } from '../../src/store/durable-fs.ts'
import { Crash, observeCalls } from './observe-calls.ts'

type CallName = keyof SystemCalls

export class FailingFs {
  readonly fs: DurableFs
  readonly #failures: { call: CallName; errno: string; left: number }[] = []
  #calls = 0
  #crashAt = Infinity
  #crashTearsWrites = false
  #shortWriteBytes = Infinity
  #roomBytes = Infinity
  #roomErrno = 'ENOSPC'

  constructor() {
    const observed = observeCalls(systemCalls, (name) => this.#before(name))
    this.fs = createDurableFs({ ...observed, write: (...call) => this.#write(...call) })
  }

  /** Calls made since the start or the last mend(), closing left out. */
  get calls(): number {
    return this.#calls
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
    this.#crashAt = this.#calls + n
    this.#crashTearsWrites = tearing
  }

  /** Everything works again, and calls are counted anew. */
  mend(): void {
    this.#failures.length = 0
    this.#calls = 0
    this.#crashAt = Infinity
    this.#shortWriteBytes = Infinity
    this.#roomBytes = Infinity
  }

  #before(name: CallName): void {
    this.#calls += 1
    if (this.#calls >= this.#crashAt) throw new Crash(`at call ${this.#calls} (${name})`)
    const failure = this.#failures.find(({ call, left }) => call === name && left > 0)
    if (failure === undefined) return
    failure.left -= 1
    throw errnoError(failure.errno, name)
  }

  #write(...[fd, buffer, offset, length]: Parameters<SystemCalls['write']>): number {
    try {
      this.#before('write')
    } catch (error) {
      const isTorn = error instanceof Crash && this.#crashTearsWrites && this.#calls === this.#crashAt
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
