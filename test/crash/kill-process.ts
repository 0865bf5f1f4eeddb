/** Starts the process of test/fakes/kill-team.ts, gathers what it reports, and kills it or lets it finish. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KillReport, KillTeamOptions } from '../fakes/kill-protocol.ts'

const PROGRAM = fileURLToPath(new URL('../fakes/kill-team.ts', import.meta.url))
/** A start, or the work that is left, takes at most this long on a busy machine. */
const DEADLINE_MS = 60_000

/** The instant of the kill: this long after the process was started, or after the n-th of its reports of a kind. */
export interface KillMoment {
  after: 'spawn' | 'up' | 'back' | 'running'
  /** Default 1. */
  count?: number
  delayMs: number
}

export interface KillRun {
  reports: KillReport[]
  /** From the start of the process to its report `up`; undefined where it was killed before. */
  startMs?: number
}

export interface KillEnvironment {
  options: KillTeamOptions
  /** Where the process and its commands put temporary files. */
  tmpdir: string
  /** Where Node keeps compiled modules, so that starts are quick: filled by a run that is not killed. */
  compileCache: string
}

/** Runs the process up to the kill. Resolves when it is gone and all of its reports are read; throws where it ended by itself. */
export async function runAndKill(environment: KillEnvironment, moment: KillMoment): Promise<KillRun> {
  const team = new TeamProcess(environment)
  if (moment.after !== 'spawn') await team.reported(moment.after, moment.count)
  await sleep(moment.delayMs)
  if (team.hasEnded) throw new Error(`the process ended by itself: ${team.describe()}`)
  await team.kill()
  return team.run()
}

/** Runs the process until it has nothing left to do; `atRest` is called then, while it still has the directory. */
export async function runToRest(
  environment: KillEnvironment,
  atRest: (reports: KillReport[]) => Promise<void> | void,
): Promise<KillRun> {
  const team = new TeamProcess(environment)
  try {
    await team.reported('quiet')
    await atRest(team.run().reports)
    if ((await team.end()) !== 0) throw new Error(`expected exit code 0: ${team.describe()}`)
    return team.run()
  } finally {
    await team.kill()
  }
}

class TeamProcess {
  readonly #reports: KillReport[] = []
  readonly #startedMs = performance.now()
  #upMs: number | undefined
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #errors = ''
  #unfinishedLine = ''
  #onReport: (() => void) | undefined

  constructor({ options, tmpdir, compileCache }: KillEnvironment) {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: tmpdir, NODE_COMPILE_CACHE: compileCache },
    })
    this.#child = child
    this.#closed = once(child, 'close').then(() => this.#onReport?.())
    const [, , , reports] = child.stdio
    if (!(reports instanceof Socket)) throw new Error('expected a pipe for the reports')
    reports.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
  }

  run(): KillRun {
    const startMs = this.#upMs === undefined ? undefined : this.#upMs - this.#startedMs
    return { reports: this.#reports, ...(startMs !== undefined && { startMs }) }
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  describe(): string {
    const last = this.#reports.at(-1)
    const { exitCode, signalCode } = this.#child
    return `exit code ${exitCode}, signal ${signalCode}, last report ${JSON.stringify(last)?.slice(0, 500)}\n${this.#errors}`
  }

  /** Resolves when `count` reports of this type are there. */
  async reported(type: KillReport['type'], count = 1): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    while (this.#reports.filter((report) => report.type === type).length < count) {
      if (this.hasEnded) {
        await this.#closed
        throw new Error(`expected the report ${type}: ${this.describe()}`)
      }
      await this.#nextReport(deadline, type)
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  async end(): Promise<number | null> {
    this.#child.stdin?.end()
    await this.#closed
    return this.#child.exitCode
  }

  async #nextReport(deadline: AbortSignal, type: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onReport = resolve
    deadline.addEventListener('abort', () => resolve(), { once: true })
    await promise
    if (!deadline.aborted) return
    const state = this.describe()
    await this.kill()
    throw new Error(`no report ${type} within ${DEADLINE_MS} ms: ${state}`)
  }

  #take(text: string): void {
    const lines = (this.#unfinishedLine + text).split('\n')
    this.#unfinishedLine = lines.pop() ?? ''
    for (const line of lines) {
      const report = JSON.parse(line) as KillReport
      if (report.type === 'up') this.#upMs = performance.now()
      this.#reports.push(report)
    }
    this.#onReport?.()
  }
}
