import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('supervised-main.ts', import.meta.url))

/** supervised-main.ts as a process of its own; killed when the running test has finished. */
export class SupervisedProcess {
  readonly child: ChildProcess
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>
  readonly #lines: AsyncIterator<string>

  constructor(directory: string) {
    this.child = spawn(process.execPath, [MAIN, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.exited = once(this.child, 'exit').then(
      ([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null,
    )
    if (this.child.stdout === null) throw new Error('expected a pipe')
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
    onTestFinished(async () => {
      this.child.kill('SIGKILL')
      await this.exited
    })
  }

  /** Sends a line. */
  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`)
  }

  /** The next line that it says. */
  async hear<T>(): Promise<T> {
    const line = await this.#lines.next()
    if (line.done) throw new Error(`the process ended: ${await this.exited}`)
    return JSON.parse(line.value) as T
  }

  async ask<T>(line: string): Promise<T> {
    this.tell(line)
    return this.hear()
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}
