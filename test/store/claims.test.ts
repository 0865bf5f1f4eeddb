import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CLAIMS_PER_EPOCH,
  createClaimAuthority,
  epochOf,
  MAX_EPOCH,
  MAX_TOKEN,
} from '../../src/store/claims.ts'
import type { Claim } from '../../src/store/session-store.ts'

describe('a claim authority', () => {
  test('gives an agent to one owner at a time, and again after the release', () => {
    const claims = createClaimAuthority(3)
    const first = claims.claim('coder')
    expect(() => claims.claim('coder')).toThrowError(
      expect.objectContaining({ code: 'claim_held', data: { agentId: 'coder', token: first.token } }),
    )
    expect(claims.claim('reviewer').token).toBeGreaterThan(first.token)
    claims.release(first)
    expect(claims.claim('coder').token).toBeGreaterThan(first.token)
  })

  test('counts tokens up from the epoch, readable in decimal', () => {
    const claims = createClaimAuthority(12)
    const tokens = ['a', 'b', 'c'].map((agentId) => claims.claim(agentId).token)
    expect(tokens).toEqual([12_000_001, 12_000_002, 12_000_003])
    expect(tokens.map(epochOf)).toEqual([12, 12, 12])
    expect(claims.highestToken).toBe(12_000_003)
  })

  test('any token of a later epoch is higher than any token of an earlier one', () => {
    const last = createClaimAuthority(7, () => 8)
    let token = 0
    for (let count = 1; count < CLAIMS_PER_EPOCH; count++) {
      const claim = last.claim('coder')
      token = claim.token
      last.release(claim)
    }
    expect(epochOf(token)).toBe(7)
    expect(createClaimAuthority(8).claim('coder').token).toBeGreaterThan(token)
  })

  test('shows the release in the word, in another thread too', async () => {
    const claims = createClaimAuthority(1)
    const claim = claims.claim('coder')
    expect(claim.word[0]).toBe(1)
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       parentPort.postMessage('watching')
       Atomics.wait(workerData.word, 0, 1, 10000)
       parentPort.postMessage(workerData.word[0])`,
      { eval: true, workerData: claim },
    )
    const messages: unknown[] = []
    worker.on('message', (message) => messages.push(message))
    await once(worker, 'message')
    claims.release(claim)
    Atomics.notify(claim.word, 0)
    await once(worker, 'exit')
    expect(messages).toEqual(['watching', 0])
  })

  test('a second release of an old claim leaves the new owner alone', () => {
    const claims = createClaimAuthority(1)
    const old = claims.claim('coder')
    claims.release(old)
    const present = claims.claim('coder')
    claims.release(old)
    expect(present.word[0]).toBe(1)
    expect(() => claims.claim('coder')).toThrowError(expect.objectContaining({ code: 'claim_held' }))
  })

  test('goes on in the next epoch when the claims of one are used up', () => {
    const epochs = [5, 6]
    const claims = createClaimAuthority(4, () => epochs.shift() ?? Number.NaN)
    exhaust(claims)
    expect(claims.claim('coder').token).toBe(5_000_001)
    expect(epochs).toEqual([6])
  })

  test('refuses, and stays refusing, when the claims are used up and there is no next epoch', () => {
    const claims = createClaimAuthority(4)
    exhaust(claims)
    expect(() => claims.claim('coder')).toThrowError(expect.objectContaining({ code: 'internal' }))
    expect(() => claims.claim('coder')).toThrowError(expect.objectContaining({ code: 'internal' }))
    expect(claims.highestToken).toBe(4_999_999)
  })

  test('gives no claim where the next epoch could not be made durable, and recovers when it can', () => {
    let full = true
    const claims = createClaimAuthority(4, () => {
      if (full) throw new Error('disk full')
      return 5
    })
    exhaust(claims)
    expect(() => claims.claim('coder')).toThrowError('disk full')
    full = false
    expect(claims.claim('coder').token).toBe(5_000_001)
  })

  test('keeps living claims when the epoch is raised', () => {
    const claims = createClaimAuthority(4)
    const living = claims.claim('coder')
    claims.raiseEpoch(9)
    expect(claims.claim('reviewer').token).toBe(9_000_001)
    expect(living.word[0]).toBe(1)
    expect(() => claims.claim('coder')).toThrowError(expect.objectContaining({ code: 'claim_held' }))
  })

  test('never goes back to an epoch, nor to one whose tokens would not be exact', () => {
    const claims = createClaimAuthority(4)
    for (const epoch of [3, 4, MAX_EPOCH + 1]) {
      expect(() => claims.raiseEpoch(epoch)).toThrowError(expect.objectContaining({ code: 'internal' }))
    }
    claims.raiseEpoch(epochOf(MAX_TOKEN) + 1)
    const { token } = claims.claim('coder')
    expect(token).toBeGreaterThan(MAX_TOKEN)
    expect(Number.isSafeInteger(token + CLAIMS_PER_EPOCH)).toBe(true)
  })

  test('holds over any order of claims, releases and raises: one owner an agent, tokens only grow', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('claim' as const), agentId: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constant('release' as const), index: fc.nat(20) }),
      fc.record({ do: fc.constant('raise' as const), by: fc.integer({ min: 1, max: 3 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const claims = createClaimAuthority(1)
        const given: Claim[] = []
        const holders = new Map<string, Claim>()
        for (const step of steps) {
          if (step.do === 'raise') {
            claims.raiseEpoch(epochOf(claims.highestToken) + step.by)
          } else if (step.do === 'release') {
            const claim = given[step.index]
            if (claim === undefined) continue
            claims.release(claim)
            if (holders.get(claim.agentId) === claim) holders.delete(claim.agentId)
          } else if (holders.has(step.agentId)) {
            expect(() => claims.claim(step.agentId)).toThrow()
          } else {
            const claim = claims.claim(step.agentId)
            expect(claim.token).toBeGreaterThan(given.at(-1)?.token ?? 0)
            given.push(claim)
            holders.set(step.agentId, claim)
          }
          const living = given.filter((claim) => claim.word[0] === 1)
          expect(new Set(living)).toEqual(new Set(holders.values()))
        }
      }),
    )
  })
})

function exhaust(claims: ReturnType<typeof createClaimAuthority>): void {
  for (let count = 1; count < CLAIMS_PER_EPOCH; count++) claims.release(claims.claim('coder'))
}
