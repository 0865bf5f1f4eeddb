/**
 * Kills a process with three llm agents again and again, each time at a random instant of their turns, and starts it anew. In each turn a
 * model asks for five commands, two of them at once; each adds a line of its own to a file.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { MemoryEntry } from '../../src/core/session-state.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { type ModelRequest, type Reply, startModelServer } from '../fakes/model-server.ts'

const MAIN = fileURLToPath(new URL('../fakes/llm-main.ts', import.meta.url))
const AGENTS = ['a', 'b', 'c']
/** Commands of each model step of a turn. */
const STEPS = [1, 2, 1, 1]
/** About as long as a turn takes: the kill comes somewhere within. */
const TURN_MS = 600

export interface LlmKillsOptions {
  kills: number
  /** A number in [0, 1). */
  random: () => number
  directory: string
  log?: (text: string) => void
}

export interface LlmKillsReport {
  turns: number
  /** Turns that were under way when the process was killed. */
  cutOff: number
  /** Turns that did not end completed, with what they ended. */
  failed: string[]
  /** Lines of the file that are there more than once. */
  repeated: string[]
  /** Calls with the result `ok` whose line is not there, or that have no result at all. */
  missing: string[]
  /** Calls that ended `unknown`. */
  unknown: number
  calls: number
  /** What the model server refused. */
  refused: readonly string[]
}

export async function llmKills({ kills, random, directory, log }: LlmKillsOptions): Promise<LlmKillsReport> {
  const data = join(directory, 'sessions')
  const file = join(directory, 'lines')
  writeFileSync(file, '')
  const server = await startModelServer({ reply: (request) => reply(request) })
  const start = (): Promise<TeamProcess> =>
    TeamProcess.start([data, directory, server.openaiURL, AGENTS.join(',')])
  const report: LlmKillsReport = {
    turns: 0,
    cutOff: 0,
    failed: [],
    repeated: [],
    missing: [],
    unknown: 0,
    calls: 0,
    refused: server.refused,
  }
  let team = await start()
  try {
    for (let round = 1; round <= kills; round++) {
      const tasks = AGENTS.map((agent) => ({
        agent,
        taskId: `${agent}-${round}`,
        input: `${agent}-${round}`,
      }))
      for (const task of tasks) team.send(task)
      await sleep(random() * TURN_MS)
      report.cutOff += tasks.filter(({ taskId }) => team.outcome(taskId) === undefined).length
      await team.kill()
      team = await start()
      for (const task of tasks) team.send(task)
      for (const { taskId } of tasks) {
        const outcome = await team.ended(taskId)
        report.turns += 1
        if (outcome.status !== 'completed' || outcome.result !== `done ${taskId}`) {
          report.failed.push(`${taskId}: ${outcome.status} ${outcome.result} ${outcome.error?.message ?? ''}`)
        }
      }
      if (round % 20 === 0) log?.(`${round} of ${kills} kills, ${report.cutOff} turns cut off`)
    }
    await team.end()
  } finally {
    await team.kill()
    await server.close()
  }
  await check(report, data, file)
  return report
}

/** The next commands of the turn, judged by how many have a result. */
function reply({ messages }: ModelRequest): Reply {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const task = messages[last]?.content ?? ''
  let done = messages.slice(last).filter(({ role }) => role === 'tool').length
  let number = 0
  for (const count of STEPS) {
    if (done < count) {
      return Array.from({ length: count }, (_, index) => {
        const command = `echo ${task}.${number + index} >> lines; sleep 0.02`
        return { toolCall: { name: 'shell', input: { command } } }
      })
    }
    done -= count
    number += count
  }
  return `done ${task}`
}

async function check(report: LlmKillsReport, data: string, file: string): Promise<void> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const counts = new Map<string, number>()
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1)
  report.repeated = [...counts].filter(([, count]) => count > 1).map(([line]) => line)
  const store = createFileStore({ directory: data, fsync: 'always' })
  for await (const { sessionId } of store.list()) {
    const { memory } = (await store.load(sessionId)).state
    const results = new Map<string, MemoryEntry>()
    for (const entry of memory) if (entry.toolCallId !== undefined) results.set(entry.toolCallId, entry)
    for (const { toolCallId, input } of memory.flatMap(({ toolCalls = [] }) => toolCalls)) {
      report.calls += 1
      const line = /echo (\S+)/.exec(JSON.stringify(input))?.[1] ?? ''
      const outcome = results.get(toolCallId)?.outcome
      if (outcome === 'unknown') report.unknown += 1
      else if (outcome !== 'ok' || !counts.has(line)) report.missing.push(`${line}: ${outcome}`)
    }
  }
}

class TeamProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #outcomes = new Map<string, PromiseWithResolvers<Outcome>>()
  readonly #ended = new Map<string, Outcome>()

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
  }

  static async start(args: readonly string[]): Promise<TeamProcess> {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const process_ = new TeamProcess(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const first = await lines.next()
    if (first.done === true) throw new Error('the team did not start')
    void process_.#read(lines)
    return process_
  }

  async #read(lines: AsyncIterator<string>): Promise<void> {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const { taskId, outcome, error } = JSON.parse(line.value) as {
        taskId: string
        outcome?: Outcome
        error?: { message: string }
      }
      if (outcome) {
        this.#ended.set(taskId, outcome)
        this.#of(taskId).resolve(outcome)
      } else this.#of(taskId).reject(new Error(error?.message))
    }
  }

  #of(taskId: string): PromiseWithResolvers<Outcome> {
    let found = this.#outcomes.get(taskId)
    if (found === undefined) {
      found = Promise.withResolvers<Outcome>()
      found.promise.catch(() => undefined)
      this.#outcomes.set(taskId, found)
    }
    return found
  }

  send(task: { agent: string; taskId: string; input: string }): void {
    this.#child.stdin?.write(`${JSON.stringify(task)}\n`)
  }

  outcome(taskId: string): Outcome | undefined {
    return this.#ended.get(taskId)
  }

  ended(taskId: string): Promise<Outcome> {
    return this.#of(taskId).promise
  }

  async kill(): Promise<void> {
    this.#child.stdin?.on('error', () => undefined) // what was written to it is lost with it
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#exited
  }
}
