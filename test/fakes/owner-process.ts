import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { WireError } from '../../src/errors.ts'

const MAIN = fileURLToPath(new URL('owner-main.ts', import.meta.url))

/** What the process said after it tried: the epoch in which it owns the directory, or why it does not own. */
export interface OwnerAnswer {
  epoch?: number
  error?: WireError
}

/** A real process that opens a data directory, and stays while it owns it. */
export class OwnerProcess {
  readonly child: ChildProcess
  /** With the exit code, or null where a signal ended it. */
  readonly exited: Promise<number | null>
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.child = child
    this.exited = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null))
    this.#lines = lines
  }

  /** Resolves when the process has loaded everything and waits for open(). */
  static async start(directory: string, url = '', killAtCall = 0): Promise<OwnerProcess> {
    const child = spawn(process.execPath, [MAIN, directory, url, String(killAtCall)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const owner = new OwnerProcess(child, lines)
    await lines.next()
    return owner
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process did not start')
    return this.child.pid
  }

  /** Opens the directory; undefined where the process died over it. */
  async open(): Promise<OwnerAnswer | undefined> {
    this.child.stdin?.write('go\n')
    const line = await this.#lines.next()
    return line.done === true ? undefined : (JSON.parse(line.value) as OwnerAnswer)
  }

  /** Lets the owner start a process that outlives it; resolves with its pid. End that one by it. */
  async startChild(): Promise<number> {
    this.child.stdin?.write('child\n')
    const line = await this.#lines.next()
    return Number(line.value)
  }

  /** Sends the signal; resolves when the process has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal)
    await this.exited
  }

  /** Lets it close the directory and end. Resolves with the exit code. */
  async end(): Promise<number | null> {
    this.child.stdin?.end()
    return this.exited
  }
}
