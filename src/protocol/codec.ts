/**
 * Frames: the envelopes of one tick, in order, as one message of a MessagePort.
 *
 * Small frames go as they are, by structured clone; from PACK_FROM envelopes on a frame is packed by msgpackr, each object
 * shape written once per frame. Measured (Node 26, two cores, CPU time of both ends, us per frame, clone / packed): 1 envelope
 * 2.1 / 4.4, 16 text deltas 17 / 14, 16 different envelopes 26 / 39, 64 text deltas 63 / 32, 64 session headers 151 / 113,
 * 64 different envelopes 92 / 87, 256 text deltas 290 / 104. A frame stands by itself: no structures are shared between frames.
 *
 * Either way an envelope comes back as it went in, `undefined` and own keys named `__proto__` included. Text must be
 * well-formed Unicode: packing turns lone surrogates into U+FFFD.
 */
import { createRequire } from 'node:module'
import type * as Msgpackr from 'msgpackr'
import { AgentryError } from '../errors.ts'

/** The number of envelopes from which packing costs less than structured clone, whatever the envelopes are. */
export const PACK_FROM = 48

/** msgpackr renames a key of this name when it unpacks. */
const PROTO_KEY = '__proto__'

let loaded: Msgpackr.Packr | undefined

/**
 * msgpackr, loaded at the first large frame: most threads never meet one, and each would pay 3 MB and some 10 ms of its start for
 * it (measured: a bare thread 8.4 MB, one that has imported msgpackr 11.6 MB).
 */
function packr(): Msgpackr.Packr {
  if (loaded === undefined) {
    const require: (name: 'msgpackr') => typeof Msgpackr = createRequire(import.meta.url)
    const { Packr } = require('msgpackr')
    loaded = new Packr({ useRecords: true })
  }
  return loaded
}

/** What to post for these envelopes: a Uint8Array of its own memory, or the array itself where clone is cheaper or needed. */
export function encodeFrame(envelopes: readonly unknown[]): unknown {
  if (envelopes.length < PACK_FROM) return envelopes
  const packed = packr().pack(envelopes)
  if (packed.includes(PROTO_KEY)) return envelopes
  // A copy: `packed` is a view of msgpackr's buffer, and posting a view posts all that is under it.
  return new Uint8Array(packed)
}

/** The envelopes of a frame that encodeFrame made. Throws `internal` for anything else. */
export function decodeFrame(frame: unknown): unknown[] {
  const envelopes: unknown = frame instanceof Uint8Array ? packr().unpack(frame) : frame
  if (!Array.isArray(envelopes))
    throw new AgentryError('internal', `expected a frame, received ${typeof envelopes}`)
  return envelopes
}
