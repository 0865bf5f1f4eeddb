/** A series of kills of `agentry serve` under the load of many clients, on one data directory. */
import { strict as assert } from 'node:assert'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Served, startServe } from '../e2e/built-serve.ts'
import { SeededRandom } from '../fakes/kill-random.ts'
import {
  checkAccepted,
  checkConversations,
  checkEffects,
  checkRecords,
  newConversations,
} from './gateway-kill-checks.ts'
import { KillClient } from './gateway-kill-client.ts'
import { addKillAgents, GatewayKillLedger } from './gateway-kill-ledger.ts'

export interface GatewayCampaignResult {
  kills: number
  /** Kills before the gateway served. */
  killsDuringStart: number
  /** Answers with 200 and with 202, and those to a message that was sent before. */
  answered: number
  accepted: number
  repeated: number
  /** Turns that a kill cut off. */
  interrupted: number
  /** Commands that ran. */
  effects: number
}

/** The share of kills that come before the gateway serves. */
const DURING_START = 0.15
/** The other kills come up to this long after the clients began: their first messages wake the agents. */
const LOAD_MS = 1_000
/** A start takes at most this long on a busy machine. */
const START_DEADLINE_MS = 60_000
/** So often the conversations are read from their beginning, and not only what is new. */
const WHOLE_EVERY = 25

/** Throws with the number of the kill for the first thing that does not hold, and keeps its directory then. */
export async function runGatewayCampaign(options: {
  kills: number
  clients: number
  seed: number
}): Promise<GatewayCampaignResult> {
  const { kills, clients, seed } = options
  const root = mkdtempSync(join(tmpdir(), 'agentry-gateway-kill-'))
  const campaign = new GatewayCampaign(root, seed, clients)
  let kill = 0
  try {
    await campaign.begin()
    while (kill < kills) {
      kill += 1
      await campaign.kill(kill)
    }
    const result = await campaign.finish()
    rmSync(root, { recursive: true })
    return result
  } catch (error) {
    throw new Error(`seed ${seed}, kill ${kill} of ${kills}; files are kept in ${root}: ${String(error)}`, {
      cause: error,
    })
  }
}

class GatewayCampaign {
  readonly #root: string
  readonly #effects: string
  readonly #random: SeededRandom
  readonly #ledger = new GatewayKillLedger()
  readonly #clients: KillClient[]
  #conversations = newConversations()
  /** Of the last one that was not cut off. */
  #startMs = 0
  #counts = { kills: 0, killsDuringStart: 0 }

  constructor(root: string, seed: number, clients: number) {
    this.#root = root
    this.#effects = join(root, 'effects')
    this.#random = new SeededRandom(seed)
    this.#clients = Array.from(
      { length: clients },
      (_, index) =>
        new KillClient({
          name: `c${index}`,
          effects: this.#effects,
          ledger: this.#ledger,
          random: new SeededRandom(seed + index + 1),
        }),
    )
  }

  /** Makes the agents, in a run that is not killed. */
  async begin(): Promise<void> {
    const served = await this.#start()
    await addKillAgents(served)
    assert.equal(await served.stop(), 0)
  }

  async kill(number: number): Promise<void> {
    if (number % WHOLE_EVERY === 0) this.#conversations = newConversations()
    this.#counts.kills += 1
    if (this.#random.next() < DURING_START) await this.#killDuringStart()
    else await this.#killUnderLoad()
  }

  /** A run that is not killed: clients get their last answers, everything ends, and everything is looked at. */
  async finish(): Promise<GatewayCampaignResult> {
    const served = await this.#start()
    const ending = new AbortController()
    const load = this.#load(served, ending.signal)
    await sleep(LOAD_MS)
    ending.abort()
    await load
    this.#conversations = newConversations()
    const effects = await this.#check(served)
    await checkRecords(served)
    assert.equal(await served.stop(), 0)
    const outcomes = [...this.#ledger.finished.values()]
    const interrupted = outcomes.filter(({ status }) => status === 'interrupted').length
    return { ...this.#counts, ...this.#ledger.counts, interrupted, effects }
  }

  async #killUnderLoad(): Promise<void> {
    const served = await this.#start()
    await this.#check(served)
    const ending = new AbortController()
    const load = this.#load(served, ending.signal)
    await Promise.race([sleep(this.#random.next() * LOAD_MS), load])
    ending.abort()
    await endByKill(served.child, () => served.log())
    await load
  }

  async #killDuringStart(): Promise<void> {
    let child: ChildProcess | undefined
    const starting = startServe({
      cwd: this.#root,
      logLevel: 'warn',
      onStart: (started) => (child = started),
    })
    let said = ''
    const settled = starting.then(
      () => true,
      (error: unknown) => {
        said = String(error)
        return false
      },
    )
    await sleep(this.#random.next() * this.#startMs)
    assert(child)
    await endByKill(child, () => said)
    if (!(await settled)) this.#counts.killsDuringStart += 1
  }

  async #start(): Promise<Served> {
    const startedMs = performance.now()
    let child: ChildProcess | undefined
    const deadline = setTimeout(() => child?.kill('SIGKILL'), START_DEADLINE_MS)
    try {
      const onStart = (started: ChildProcess): void => void (child = started)
      return await startServe({ cwd: this.#root, logLevel: 'warn', onStart })
    } finally {
      clearTimeout(deadline)
      this.#startMs = performance.now() - startedMs
    }
  }

  /** The number of commands that ran. */
  async #check(served: Served): Promise<number> {
    await checkAccepted(served, this.#ledger)
    await checkConversations(served, this.#ledger, this.#conversations)
    return checkEffects(this.#ledger, this.#effects)
  }

  async #load({ url, token }: Served, ending: AbortSignal): Promise<void> {
    await Promise.all(this.#clients.map(async (client) => client.run({ url, token, ending })))
  }
}

/** Throws where it had ended by itself. */
async function endByKill(child: ChildProcess, log: () => string): Promise<void> {
  assert.deepEqual([child.exitCode, child.signalCode], [null, null], `it ended by itself: ${log()}`)
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
