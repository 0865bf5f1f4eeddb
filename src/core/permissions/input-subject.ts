/**
 * What a call is about where its tool does not say so: all that it is given, as JSON with the keys in order. The same input is
 * always the same text, and another input another one.
 */
import { createHash } from 'node:crypto'
import type { Json } from '../json.ts'
import { cutMiddle } from './cut-middle.ts'
import type { PermissionSubject } from './rule-types.ts'

/** UTF-16 units that a question shows of it, and a grant holds. */
const MAX_SHOWN = 4_000

export function inputSubject(input: Json): PermissionSubject {
  return { kind: 'input', text: canonicalJson(input) }
}

/** As people are asked about it. An input that is cut is still told from every other, by its hash. */
export function shownSubject({ kind, text }: PermissionSubject): string {
  return kind === 'input' && text.length > MAX_SHOWN
    ? cutMiddle(text, MAX_SHOWN, `; sha256 of all: ${hashOf(text)}`)
    : text
}

/** What a grant for it holds: the text, or the hash of a long input. No input looks like that hash: it is a JSON text. */
export function grantedText({ kind, text }: PermissionSubject): string {
  return kind === 'input' && text.length > MAX_SHOWN ? `sha256:${hashOf(text)}` : text
}

/** The texts, numbers and truth values in it, and all of it: what a deny or ask may be about. */
export function textsIn({ text }: PermissionSubject): readonly string[] {
  const texts = [text]
  const collect = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
    else if (typeof value === 'string') texts.push(value)
    else if (value !== null) texts.push(JSON.stringify(value))
  }
  collect(JSON.parse(text))
  return texts
}

function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, inner: Json) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(
          Object.keys(inner)
            .sort()
            .map((key) => [key, inner[key]]),
        )
      : inner,
  )
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
