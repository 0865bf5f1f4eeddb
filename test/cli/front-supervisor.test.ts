import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { KeeperMessage } from '../../src/cli/front-channel.ts'
import { FrontSupervisor, type KeeperProcess } from '../../src/cli/front-supervisor.ts'
import { createClient } from '../../src/client/client.ts'
import { AgentryError, type ErrorCode } from '../../src/errors.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

const URL = 'http://127.0.0.1:7420'

class FakeKeeper implements KeeperProcess {
  readonly #end = Promise.withResolvers<void>()
  readonly ended: Promise<void> = this.#end.promise
  readonly asked: string[] = []
  readonly says: (message: KeeperMessage) => void
  #released = Promise.withResolvers<void>()

  constructor(says: (message: KeeperMessage) => void) {
    this.says = says
  }

  end(): void {
    this.asked.push('end')
  }

  async release(): Promise<void> {
    this.asked.push('release')
    await Promise.race([this.#released.promise, this.ended])
  }

  abandon(): void {
    this.asked.push('abandon')
  }

  agreesToStay(): void {
    this.#released.resolve()
  }

  async dies(): Promise<void> {
    this.#end.resolve()
    await nextTick()
  }
}

function startFront() {
  const clock = new SimulatedClock()
  const keepers: FakeKeeper[] = []
  const failures: AgentryError[] = []
  const notices: string[] = []
  let served = false
  const front = new FrontSupervisor({
    startKeeper(hear) {
      const keeper = new FakeKeeper(hear)
      keepers.push(keeper)
      return keeper
    },
    connect() {
      if (!served) throw new AgentryError('gateway_unreachable', 'nobody')
      return createClient({ url: URL, token: 'the-token-of-these-tests' })
    },
    failed: (error) => failures.push(error),
    logFile: '/data/.agentry/supervisor.log',
    clock,
  })
  front.onNotice(({ kind, text }) => notices.push(`${kind}: ${text}`))
  const keeper = (): FakeKeeper => {
    const last = keepers.at(-1)
    if (last === undefined) throw new Error('no keeper')
    return last
  }
  return {
    front,
    clock,
    keepers,
    keeper,
    failures,
    notices,
    serve() {
      served = true
      keeper().says({ type: 'serving', url: URL })
    },
    async wait(delayMs: number): Promise<void> {
      clock.advance(delayMs)
      await nextTick()
    },
    /** Another process serves the directory. */
    serveElsewhere() {
      served = true
    },
    refuse(code: ErrorCode) {
      keeper().says({ type: 'failed', error: new AgentryError(code, `because of ${code}`).toJSON() })
    },
  }
}

const never = new AbortController().signal

describe('the supervisor of a dashboard', () => {
  test('is connected to as soon as it serves', async () => {
    const world = startFront()
    let url: string | undefined
    const connected = world.front.connect(never).then((team) => (url = team.url))
    await nextTick()
    expect(url).toBeUndefined()
    world.serve()
    await connected
    expect(url).toBe(URL)
    expect(world.front.owned).toBe(true)
  })

  test('is no longer waited for by who gives up', async () => {
    const leaving = new AbortController()
    const connected = startFront().front.connect(leaving.signal)
    leaving.abort()
    await expect(connected).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('is waited for again while its server is started again, and both are said', async () => {
    const world = startFront()
    world.serve()
    world.keeper().says({ type: 'restarting', reason: 'the server ended (killed) and is started again' })
    let back = false
    const connected = world.front.connect(never).then(() => (back = true))
    await nextTick()
    expect(back).toBe(false)
    world.serve()
    await connected
    expect(world.notices).toEqual([
      'error: the server ended (killed) and is started again',
      `info: the supervisor is back at ${URL}`,
    ])
  })

  test('is started again when its keeper dies, at once the first time and later after waits', async () => {
    const world = startFront()
    world.serve()
    await world.keeper().dies()
    expect(world.keepers).toHaveLength(2)
    expect(world.notices).toEqual(['error: the supervisor ended and is started again'])
    await world.keeper().dies()
    expect(world.keepers).toHaveLength(2)
    await world.wait(200)
    expect(world.keepers).toHaveLength(3)
  })

  test('says nothing of the directory that its dying server still holds', async () => {
    const world = startFront()
    world.serve()
    await world.keeper().dies()
    world.refuse('directory_owned')
    await world.keeper().dies()
    await world.wait(200)
    world.serve()
    expect(world.keepers).toHaveLength(3)
    expect(world.notices).toEqual([
      'error: the supervisor ended and is started again',
      `info: the supervisor is back at ${URL}`,
    ])
  })

  test.each<ErrorCode>(['directory_invalid', 'invalid_config', 'unsupported_format'])(
    'fails with the %s of its first start, which is not tried again',
    async (code) => {
      const world = startFront()
      world.refuse(code)
      expect(world.keeper().asked).toEqual(['end'])
      await world.keeper().dies()
      expect(world.failures).toMatchObject([{ code, message: `because of ${code}` }])
      expect(world.keepers).toHaveLength(1)
    },
  )

  test('fails with the name of its log where it died without a word', async () => {
    const world = startFront()
    await world.keeper().dies()
    expect(world.failures).toMatchObject([{ code: 'gateway_unreachable' }])
    expect(world.failures[0]?.message).toContain('/data/.agentry/supervisor.log')
  })

  test('is another one where that was quicker to own the directory', async () => {
    const world = startFront()
    const connected = world.front.connect(never)
    world.refuse('directory_owned')
    await world.keeper().dies()
    world.serveElsewhere()
    await world.wait(200)
    expect((await connected).url).toBe(URL)
    expect(world.front.owned).toBe(false)
    expect({ failures: world.failures, keepers: world.keepers.length }).toEqual({ failures: [], keepers: 1 })
    await world.front.stop(never)
  })

  test('is another one also where that took the directory after a loss', async () => {
    const world = startFront()
    world.serve()
    await world.keeper().dies()
    const connected = world.front.connect(never)
    for (let tries = 0; tries < 6; tries++) {
      world.refuse('directory_owned')
      await world.keeper().dies()
      await world.wait(60_000)
    }
    expect(world.front.owned).toBe(true)
    const { length } = world.keepers
    world.refuse('directory_owned')
    await world.keeper().dies()
    expect((await connected).url).toBe(URL)
    expect(world.front.owned).toBe(false)
    expect(world.notices.at(-1)).toBe('info: another supervisor serves the directory: joined it')
    await world.wait(60_000)
    expect(world.keepers).toHaveLength(length)
  })

  test('fails where the other one does not serve in time', async () => {
    const world = startFront()
    world.refuse('directory_owned')
    await world.keeper().dies()
    for (let step = 0; step < 110; step++) await world.wait(100)
    expect(world.failures).toMatchObject([{ code: 'directory_owned' }])
  })

  test('is ended once, and waited for', async () => {
    const world = startFront()
    world.serve()
    let stopped = false
    const stop = world.front.stop(never).then(() => (stopped = true))
    await nextTick()
    expect({ stopped, asked: world.keeper().asked }).toEqual({ stopped: false, asked: ['end'] })
    await world.keeper().dies()
    await stop
    expect(world.keepers).toHaveLength(1)
  })

  test('goes on ending by itself where nobody waits for it any longer', async () => {
    const world = startFront()
    world.serve()
    const impatient = new AbortController()
    const stop = world.front.stop(impatient.signal)
    impatient.abort()
    await stop
    expect(world.keeper().asked).toEqual(['end', 'abandon'])
  })

  test('stays when it is released, and is not ended after that', async () => {
    const world = startFront()
    world.serve()
    world.front.release()
    world.front.release()
    await world.front.stop(never)
    let released = false
    const agreed = world.front.released().then(() => (released = true))
    await nextTick()
    expect(released).toBe(false)
    world.keeper().agreesToStay()
    await agreed
    expect(world.keeper().asked).toEqual(['release'])
  })

  test('is started to stay where it is released while none runs', async () => {
    const world = startFront()
    world.serve()
    await world.keeper().dies()
    await world.keeper().dies()
    world.front.release()
    expect(world.keepers).toHaveLength(3)
    expect(world.keeper().asked).toEqual(['release'])
  })
})
