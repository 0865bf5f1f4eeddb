/** A terminal to read keys from. */
import { EventEmitter } from 'node:events'
import type { CliIo } from '../../../src/cli/io.ts'

export class FakeTerminal extends EventEmitter {
  readonly isTTY = true
  /** Every change of raw mode. */
  readonly modes: boolean[] = []
  reads = false

  setRawMode(mode: boolean): this {
    this.modes.push(mode)
    return this
  }

  resume(): this {
    this.reads = true
    return this
  }

  pause(): this {
    this.reads = false
    return this
  }

  /** Lost where nobody reads. */
  type(text: string): void {
    if (this.reads) this.emit('data', Buffer.from(text))
  }

  asTerminal(): CliIo['terminal'] {
    const terminal: unknown = { stdin: this, stdout: { isTTY: true } }
    return terminal as CliIo['terminal']
  }
}
