/**
 * Claims: the right to write an agent's sessions, given to one owner at a time.
 *
 * C1  at most one living claim per agent.
 * C2  a token is higher than every token given before, in this run or an earlier one: a late write of an owner that was given up
 *     for dead is known by its lower token.
 * C3  releasing a claim stops its holder, on whatever thread it is: `word` is shared memory.
 */
import { AgentryError } from '../errors.ts'
import type { Claim, ClaimAuthority } from './session-store.ts'

/**
 * A token is the directory's epoch times this, plus the number of the claim within the epoch: it grows with every claim and with
 * every epoch, and people can read it in a journal (12000034: epoch 12, claim 34).
 */
export const CLAIMS_PER_EPOCH = 1_000_000

/** The highest epoch whose tokens are exact numbers. */
export const MAX_EPOCH: number = Math.floor(Number.MAX_SAFE_INTEGER / CLAIMS_PER_EPOCH) - 1

/** The highest token that a later epoch can outrank. */
export const MAX_TOKEN: number = MAX_EPOCH * CLAIMS_PER_EPOCH - 1

/** The epoch in which a token was given. */
export function epochOf(token: number): number {
  return Math.floor(token / CLAIMS_PER_EPOCH)
}

export interface EpochClaims extends ClaimAuthority {
  /** Tokens given from now on are higher than this. */
  readonly highestToken: number
  /** Tokens given from now on carry `epoch`. Throws `internal` unless it is higher than the present one. */
  raiseEpoch(epoch: number): void
}

/**
 * An authority whose first token is claim 1 of `epoch`, an epoch that nobody has used.
 *
 * When the claims of an epoch are used up, `nextEpoch` gives the next one; it must be durable when it returns. Without it, claims
 * throw `internal` from then on.
 */
export function createClaimAuthority(epoch: number, nextEpoch?: () => number): EpochClaims {
  const living = new Map<string, Claim>()
  let token = epoch * CLAIMS_PER_EPOCH

  const raiseEpoch = (epoch: number): void => {
    if (epoch <= epochOf(token) || epoch > MAX_EPOCH) {
      const expected = `an epoch from ${epochOf(token) + 1} to ${MAX_EPOCH}`
      throw new AgentryError('internal', `claims: expected ${expected}, received ${epoch}`)
    }
    token = epoch * CLAIMS_PER_EPOCH
  }

  const nextToken = (): number => {
    if ((token + 1) % CLAIMS_PER_EPOCH === 0) {
      if (nextEpoch === undefined) {
        throw new AgentryError(
          'internal',
          `all ${CLAIMS_PER_EPOCH - 1} claims of epoch ${epochOf(token)} are used`,
        )
      }
      raiseEpoch(nextEpoch())
    }
    return ++token
  }

  return {
    get highestToken() {
      return token
    },
    raiseEpoch,
    claim(agentId) {
      const holder = living.get(agentId)
      if (holder !== undefined) {
        const message = `agent ${agentId} is claimed already (token ${holder.token}): its owner has not ended`
        throw new AgentryError('claim_held', message, { data: { agentId, token: holder.token } })
      }
      const word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
      word[0] = 1
      const claim: Claim = { agentId, token: nextToken(), word }
      living.set(agentId, claim)
      return claim
    },
    release(claim) {
      Atomics.store(claim.word, 0, 0)
      if (living.get(claim.agentId)?.token === claim.token) living.delete(claim.agentId)
    },
  }
}
