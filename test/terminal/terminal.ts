/**
 * A program in a terminal, driven as a person would: typed to, looked at.
 *
 * T1  waiting is for output: each piece is looked at when it is on the screen, and in between nothing runs.
 * T2  a wait that is in vain says what was on the screen instead.
 * T3  the end of a Terminal is the end of its program (`await using`).
 */
import { constants } from 'node:os'
import { type IPty, spawn } from '@lydell/node-pty'
import { Emulator, type StyledCell } from './emulator.ts'
import { frameSnapshot } from './snapshot.ts'

const DEADLINE_MS = 20_000

export interface TerminalOptions {
  readonly command: string
  readonly args?: readonly string[]
  /** All of it: nothing is taken from this process. TERM and COLORTERM are set where it does not. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly columns?: number
  readonly rows?: number
}

export interface Exited {
  readonly code: number
  /** The signal that ended it. */
  readonly signal?: string
}

/** A piece of output, or a key, for recordings. */
export interface Piece {
  readonly atMs: number
  readonly data: string
}

/** Bytes as terminals send them. Letters with ctrl or alt need no entry. */
const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  esc: '\u001b',
  tab: '\t',
  'shift+tab': '\u001b[Z',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  home: '\u001b[H',
  end: '\u001b[F',
  pageup: '\u001b[5~',
  pagedown: '\u001b[6~',
  delete: '\u001b[3~',
  backspace: '\u007f',
  space: ' ',
  'ctrl+left': '\u001b[1;5D',
  'ctrl+right': '\u001b[1;5C',
  'ctrl+space': '\u0000',
}

/** Why no pseudo terminal can be opened here; undefined where one can. */
export function noTerminalHere(): string | undefined {
  try {
    spawn('true', [], { cols: 2, rows: 2 }).kill()
    return undefined
  } catch (error) {
    return `no pseudo terminal: ${String(error)}`
  }
}

export function openTerminal(options: TerminalOptions): Terminal {
  return new Terminal(options)
}

export class Terminal {
  /** Resolves when the program has ended and all that it wrote is on the screen. */
  readonly exited: Promise<Exited>
  readonly #pty: IPty
  readonly #emulator: Emulator
  readonly #pieces: Piece[] = []
  readonly #watchers = new Set<() => void>()
  #shown: Promise<void> = Promise.resolve()
  #ended: Exited | undefined

  constructor(options: TerminalOptions) {
    const { command, args = [], env = { PATH: process.env['PATH'] }, cwd, columns = 80, rows = 24 } = options
    this.#emulator = new Emulator(columns, rows)
    this.#pty = spawn(command, [...args], {
      name: 'xterm-256color',
      cols: columns,
      rows,
      env: { TERM: 'xterm-256color', COLORTERM: '', ...env },
      ...(cwd !== undefined && { cwd }),
    })
    this.#pty.onData((data) => {
      this.#pieces.push({ atMs: performance.now(), data })
      this.#shown = this.#emulator.feed(data).then(() => this.#look())
    })
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        void this.#shown.then(() => {
          this.#ended = { code: exitCode, ...(signal ? { signal: signalName(signal) } : {}) }
          resolve(this.#ended)
          this.#look()
        })
      })
    })
  }

  get pid(): number {
    return this.#pty.pid
  }

  type(text: string): void {
    this.#pty.write(text)
  }

  /** `enter`, `shift+tab`, `ctrl+p`, `alt+b`, or the character that the key types. */
  press(key: string): void {
    this.type(bytesOf(key))
  }

  /** As a terminal does it: marked, where the program asked for that. */
  paste(text: string): void {
    this.type(this.bracketedPaste ? `\u001b[200~${text}\u001b[201~` : text)
  }

  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows)
    this.#pty.resize(columns, rows)
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (this.#ended === undefined) this.#pty.kill(signal)
  }

  /** Closes the terminal under the program, as a window that is closed does. Nothing is read from it any more. */
  hangUp(): void {
    const pty: IPty & { destroy?: () => void } = this.#pty
    pty.destroy?.()
  }

  screen(): string[] {
    return this.#emulator.screen()
  }

  text(): string {
    return this.screen().join('\n')
  }

  cellAt(x: number, y: number): StyledCell {
    return this.#emulator.cellAt(x, y)
  }

  styleOf(text: string): StyledCell {
    return this.#emulator.styleOf(text)
  }

  frameSnapshot(): string {
    return frameSnapshot(this.#emulator)
  }

  get emulator(): Emulator {
    return this.#emulator
  }

  get cursor(): Emulator['cursor'] {
    return this.#emulator.cursor
  }

  get alternateScreen(): boolean {
    return this.#emulator.alternateScreen
  }

  get bracketedPaste(): boolean {
    return this.#emulator.bracketedPaste
  }

  /** All that the program wrote, as it came. */
  get output(): string {
    return this.#pieces.map(({ data }) => data).join('')
  }

  get pieces(): readonly Piece[] {
    return this.#pieces
  }

  get bytesWritten(): number {
    return Buffer.byteLength(this.output)
  }

  /** Resolves as soon as `wanted` is on the screen, or is true of it. `what` names it where it never is. */
  waitFor(
    wanted: string | RegExp | (() => boolean),
    what: string = typeof wanted === 'function' ? 'a screen' : String(wanted),
    deadlineMs: number = DEADLINE_MS,
  ): Promise<void> {
    const holds = typeof wanted === 'function' ? wanted : () => matches(this.text(), wanted)
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        this.#watchers.delete(watch)
        clearTimeout(deadline)
        if (error) reject(error)
        else resolve()
      }
      const watch = (): void => {
        if (holds()) settle()
        else if (this.#ended !== undefined)
          settle(this.#inVain(what, `ended with ${JSON.stringify(this.#ended)}`))
      }
      const deadline = setTimeout(() => settle(this.#inVain(what, `${deadlineMs} ms passed`)), deadlineMs)
      this.#watchers.add(watch)
      watch()
    })
  }

  async close(): Promise<void> {
    this.kill()
    await this.exited
    this.#emulator.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #look(): void {
    for (const watch of this.#watchers) watch()
  }

  #inVain(what: string, why: string): Error {
    return new Error(`waited in vain for ${what}: ${why}. On the screen:\n${this.text().trimEnd()}`)
  }
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
}

function bytesOf(key: string): string {
  const known = KEYS[key]
  if (known !== undefined) return known
  if (key.startsWith('alt+')) return `\u001b${bytesOf(key.slice('alt+'.length))}`
  if (/^ctrl\+[a-z[\\\]^_]$/.test(key)) return String.fromCharCode(key.charCodeAt(5) & 0x1f)
  if (Array.from(key).length !== 1) throw new Error(`no such key: ${key}`)
  return key
}

function signalName(signal: number): string {
  const found = Object.entries(constants.signals).find(([, number]) => number === signal)
  return found?.[0] ?? String(signal)
}
