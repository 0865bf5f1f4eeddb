/**
 * Takes secrets out of text: `[redacted:NAME]` stands where one stood.
 *
 * Invariants:
 * S1  of no secret, in any of its forms (secret-forms.ts), is there a whole occurrence in what is given out, however the text
 *     is cut into chunks.
 * S2  what is given out does not depend on the cuts; secrets that overlap become one mark.
 * S3  time is linear in the text; a stream holds back no more than the longest form.
 */
import type { Json } from '../../core/json.ts'
import { Automaton } from './automaton.ts'
import { formsOf } from './secret-forms.ts'
import type { Secret } from './secrets-of.ts'

export interface StreamRedactor {
  /** The text that may be given out now; what could be the beginning of a secret is held back. */
  push(text: string): string
  /** The rest; the stream begins anew. */
  flush(): string
}

export interface Redactor {
  redact: (text: string) => string
  /** A value with all text in it redacted, keys too; a number that is a secret becomes text. The same value where none is in it. */
  redactJson: (value: Json) => Json
  /** For text that comes in pieces. */
  stream: () => StreamRedactor
}

/** Values of less than 8 characters are passed over. */
export function createRedactor(secrets: Iterable<Secret>): Redactor {
  const words: [string, string][] = []
  for (const { name, value } of secrets) {
    for (const form of formsOf(value)) words.push([form, name])
  }
  if (words.length === 0) return NOTHING_TO_HIDE
  const automaton = new Automaton(words)
  const redact = (text: string): string => {
    const stream = new Stream(automaton)
    const out = stream.push(text) + stream.flush()
    return out === text ? text : out
  }
  return {
    redact,
    redactJson: (value) => redactJson(value, redact),
    stream: () => new Stream(automaton),
  }
}

function markOf(label: string): string {
  return `[redacted:${label}]`
}

/** Not where the name is a pattern or a placeholder (`\[redacted:…\]`, `${name}`): such text speaks of marks. */
const MARK = /\[redacted:[^\s[\]\\$]+\]/

/** The first mark of a redactor, whichever, that a value holds, in its keys too: a secret was here that whoever reads this never saw. */
export function markIn(value: Json): string | undefined {
  if (typeof value === 'string') return MARK.exec(value)?.[0]
  if (typeof value !== 'object' || value === null) return undefined
  const parts = Array.isArray(value) ? value : Object.entries(value).flat()
  for (const part of parts) {
    const mark = markIn(part)
    if (mark !== undefined) return mark
  }
  return undefined
}

const NOTHING_TO_HIDE: Redactor = {
  redact: (text) => text,
  redactJson: (value) => value,
  stream: () => ({ push: (text) => text, flush: () => '' }),
}

interface Match {
  /** Positions in the whole text; `end` is behind the last code unit. */
  start: number
  end: number
  label: string
}

class Stream implements StreamRedactor {
  readonly #automaton: Automaton
  #state = 0
  /** What was read and not given out yet, from position #from on. */
  #held = ''
  #from = 0
  /** Up to here the text belongs to a secret whose mark was given out. */
  #hiddenTo = 0
  /** In order, none overlaps the next. */
  #matches: Match[] = []

  constructor(automaton: Automaton) {
    this.#automaton = automaton
  }

  push(text: string): string {
    const start = this.#from + this.#held.length
    for (let index = 0; index < text.length; index++) {
      this.#state = this.#automaton.step(this.#state, text.charCodeAt(index))
      const found = this.#automaton.found(this.#state)
      if (found !== undefined) {
        const end = start + index + 1
        this.#add({ start: end - found.length, end, label: found.label })
      }
    }
    this.#held += text
    const end = start + text.length
    // Half of a character would be lost where chunks are encoded one by one.
    const half = isHighSurrogate(this.#held.charCodeAt(this.#held.length - 1)) ? 1 : 0
    return this.#giveOut(end - Math.max(half, this.#automaton.depth(this.#state)))
  }

  flush(): string {
    const out = this.#giveOut(this.#from + this.#held.length)
    this.#state = 0
    this.#from = 0
    this.#hiddenTo = 0
    return out
  }

  /** Matches come in the order of their ends. */
  #add(match: Match): void {
    let { start, label } = match
    for (
      let last = this.#matches.at(-1);
      last !== undefined && last.end > start;
      last = this.#matches.at(-1)
    ) {
      if (last.start < start) ({ start, label } = last)
      this.#matches.pop()
    }
    this.#matches.push({ start, end: match.end, label })
  }

  /** Gives out what lies before `safe`: no word that begins there can still end. */
  #giveOut(safe: number): string {
    let out = ''
    for (let match = this.#matches[0]; match !== undefined && match.start < safe; match = this.#matches[0]) {
      this.#matches.shift()
      // One that begins within what is hidden already goes with its mark.
      if (match.start >= this.#hiddenTo) {
        out += this.#take(match.start)
        out += markOf(match.label)
      }
      this.#hiddenTo = Math.max(this.#hiddenTo, match.end)
    }
    return out + this.#take(safe)
  }

  /** The text up to a position, without what is hidden. */
  #take(to: number): string {
    if (to <= this.#from) return ''
    const visibleFrom = Math.min(Math.max(this.#from, this.#hiddenTo), to)
    const text = this.#held.slice(visibleFrom - this.#from, to - this.#from)
    this.#held = this.#held.slice(to - this.#from)
    this.#from = to
    return text
  }
}

function redactJson(value: Json, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'number') {
    const text = String(value)
    return redact(text) === text ? value : redact(text)
  }
  if (value === null || typeof value === 'boolean') return value
  if (Array.isArray(value)) {
    const items = value.map((item) => redactJson(item, redact))
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [
    redact(key),
    redactJson(item, redact),
  ])
  return entries.some(([key, item]) => value[key] !== item) ? Object.fromEntries(entries) : value
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
