/** One owner of a session at a time: epochs, claims, and stale writers. */
import { describe, expect, test } from 'vitest'
import { cancelAndRespawn } from './supervision-cycles.ts'
import { startLoop } from '../fakes/loop-probe.ts'

describe('one owner', () => {
  test('200 times cancelled, crashed, stopped and woken, an agent never has two stays, and its epochs never fall', async () => {
    await cancelAndRespawn(200)
  }, 120_000)

  test('an append under a claim that has ended is refused as fenced, and nothing of it is written', async () => {
    const stale = await startLoop()
    const { sessionId } = await stale.send('before')
    stale.claims.release(stale.options.claim)
    const { store, claims } = stale
    const owner = await startLoop({ store, claims, currentSessionId: sessionId, activation: 1 })
    await expect(stale.send('stale')).rejects.toMatchObject({ code: 'fenced' })
    await expect(stale.post('stale too')).rejects.toMatchObject({ code: 'fenced' })
    expect(await owner.send('after')).toMatchObject({ status: 'completed', sessionId })
    const records = await owner.records(sessionId)
    const inputs = records.flatMap((record) => (record.type === 'message.accepted' ? [record.input] : []))
    expect(inputs).toEqual(['before', 'after'])
    expect(owner.options.claim.token).toBeGreaterThan(stale.options.claim.token)
    await owner.stop()
  })
})
