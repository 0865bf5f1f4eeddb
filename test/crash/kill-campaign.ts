/** A series of kills on one data directory, each followed by a look at what was left and by a new start. */
import { strict as assert } from 'node:assert'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KillLoad, KillReport, KillTeamOptions } from '../fakes/kill-protocol.ts'
import { markedProcesses } from '../fakes/kill-processes.ts'
import { SeededRandom } from '../fakes/kill-random.ts'
import {
  checkAcknowledged,
  checkJournalsGrew,
  checkReads,
  checkRest,
  checkSessions,
  checkStart,
  checkToolCalls,
  checkTurns,
} from './kill-checks.ts'
import { type DiskState, readDisk } from './kill-disk.ts'
import { KillLedger } from './kill-ledger.ts'
import { type KillEnvironment, type KillMoment, type KillRun, runAndKill, runToRest } from './kill-process.ts'

export interface CampaignOptions {
  kills: number
  load: KillLoad
  seed: number
}

export interface CampaignResult {
  kills: number
  /** Kills before the start was over. */
  killsDuringStart: number
  /** Acknowledged and found again: finished turns, accepted messages, answers to session commands. */
  turns: number
  accepted: number
  sessionCommands: number
  /** Turns and calls that a kill cut off. */
  interrupted: number
  resumed: number
  unknownCalls: number
  /** Commands and tool calls that ran. */
  effects: number
  /** Temp files and moves that kills had left. */
  temps: number
  moves: number
}

/** The share of kills that come before the start is over, and of those while the agents get their threads. */
const DURING_START = 0.15
const DURING_WAKE = 0.15
/** The other kills come up to this long after the first agent was back. */
const LOAD_MS = 350

/** Throws with the number of the kill for the first thing that does not hold, and keeps its directories then. */
export async function runCampaign({ kills, load, seed }: CampaignOptions): Promise<CampaignResult> {
  const root = mkdtempSync(join(tmpdir(), 'agentry-kill-'))
  const environment = createEnvironment(root, load, seed)
  const campaign = new Campaign(environment, seed)
  let run = 0
  try {
    await campaign.rest(run, 'warm')
    while (run < kills) await campaign.kill(++run)
    await campaign.rest(++run, 'none')
  } catch (error) {
    const where = `load ${load}, seed ${seed}, run ${run} (0 and ${kills + 1} are not killed); files are kept in ${root}`
    throw new Error(`${where}: ${String(error)}`, { cause: error })
  }
  rmSync(root, { recursive: true })
  return campaign.result()
}

function createEnvironment(root: string, load: KillLoad, seed: number): KillEnvironment {
  const temporary = join(root, 'tmp')
  mkdirSync(temporary)
  const mark = `${process.pid}-${seed}`
  const [directory, effects] = [join(root, 'data'), join(root, 'effects')]
  const options: KillTeamOptions = { directory, effects, mark, run: 0, load, seed: 0 }
  return { options, tmpdir: temporary, compileCache: join(root, 'compile-cache') }
}

class Campaign {
  readonly #environment: KillEnvironment
  readonly #random: SeededRandom
  readonly #ledger = new KillLedger()
  #disk: DiskState = { sessions: new Map(), temps: [], effects: [] }
  /** What commands had left in the folder of temporary files at the last kill. */
  #commandTemps: string[] = []
  /** Of the last run that got that far. */
  #startMs = 0
  #counts = { kills: 0, killsDuringStart: 0, sessionCommands: 0, temps: 0, moves: 0 }

  constructor(environment: KillEnvironment, seed: number) {
    this.#environment = environment
    this.#random = new SeededRandom(seed)
  }

  async kill(run: number): Promise<void> {
    const killed = await runAndKill(this.#environmentOf(run, this.#environment.options.load), this.#moment())
    this.#startMs = killed.startMs ?? this.#startMs
    this.#ledger.add(killed.reports)
    const disk = this.#read()
    this.#count(killed, disk)
    const failed = killed.reports.find((report) => report.type === 'failed')
    assert.equal(failed, undefined)
    await this.#check(killed.reports, disk)
    this.#disk = disk
  }

  /** A run that is not killed: what was left is done, and nothing remains. */
  async rest(run: number, load: KillLoad): Promise<void> {
    const { options, tmpdir } = this.#environment
    const { startMs = 0 } = await runToRest(this.#environmentOf(run, load), async (reports) => {
      this.#ledger.add(reports)
      const disk = this.#read()
      await this.#check(reports, disk)
      await checkRest(options.directory, reports, this.#ledger, disk)
      this.#disk = disk
    })
    this.#startMs = startMs
    assert.deepEqual(readdirSync(tmpdir), [], 'temporary files of commands')
    assert.deepEqual(markedProcesses('KILL_MARK', `${options.mark}/`), [], 'processes of commands')
  }

  result(): CampaignResult {
    const records = [...this.#disk.sessions.values()].flatMap((session) => session.records)
    return {
      ...this.#counts,
      turns: this.#ledger.finished.size,
      accepted: this.#ledger.accepted.size,
      interrupted: records.filter(
        (record) => record.type === 'turn.finished' && record.status === 'interrupted',
      ).length,
      resumed: records.filter((record) => record.type === 'turn.started' && record.attempt > 1).length,
      unknownCalls: records.filter(
        (record) => record.type === 'tool.finished' && record.outcome === 'unknown',
      ).length,
      effects: this.#disk.effects.length,
    }
  }

  #read(): DiskState {
    const { directory, effects } = this.#environment.options
    return readDisk(directory, effects)
  }

  async #check(reports: readonly KillReport[], disk: DiskState): Promise<void> {
    checkJournalsGrew(this.#disk, disk)
    checkTurns(disk)
    checkToolCalls(disk)
    checkAcknowledged(this.#ledger, disk)
    checkSessions(this.#ledger, disk)
    checkStart(reports, this.#disk, disk)
    await checkReads(this.#environment.options.directory, disk)
    this.#checkCommandTemps(reports)
  }

  /** What commands had in the folder of temporary files at the last kill is gone once their agents are back. */
  #checkCommandTemps(reports: readonly KillReport[]): void {
    const now = readdirSync(this.#environment.tmpdir)
    const areBack =
      reports.filter((report) => report.type === 'back' && report.agentId.startsWith('shell')).length === 2
    if (areBack)
      assert.deepEqual(
        this.#commandTemps.filter((name) => now.includes(name)),
        [],
      )
    this.#commandTemps = now
  }

  #moment(): KillMoment {
    if (this.#environment.options.load === 'commands') return { after: 'running', count: 2, delayMs: 0 }
    const kind = this.#random.next()
    const part = this.#random.next()
    if (kind < DURING_START) return { after: 'spawn', delayMs: part * this.#startMs }
    if (kind < DURING_START + DURING_WAKE) return { after: 'up', delayMs: part * this.#startMs }
    return { after: 'back', delayMs: part * LOAD_MS }
  }

  #count({ reports }: KillRun, disk: DiskState): void {
    this.#counts.kills += 1
    if (!reports.some((report) => report.type === 'up')) this.#counts.killsDuringStart += 1
    this.#counts.sessionCommands += reports.filter((report) => report.type === 'done').length
    this.#counts.temps += disk.temps.length
    this.#counts.moves += [...disk.sessions.values()].filter(
      (session) => session.movingSinceMs !== undefined,
    ).length
  }

  #environmentOf(run: number, load: KillLoad): KillEnvironment {
    const seed = this.#random.between(0, 2 ** 31)
    return { ...this.#environment, options: { ...this.#environment.options, run, load, seed } }
  }
}
