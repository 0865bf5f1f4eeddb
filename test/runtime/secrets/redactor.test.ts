import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/core/json.ts'
import { createRedactor, markIn } from '../../../src/runtime/secrets/redactor.ts'
import type { Secret } from '../../../src/runtime/secrets/secrets-of.ts'

const KEY = { name: 'API_KEY', value: 'sk-"live"/é+ 42\\' }
const MARK = '[redacted:API_KEY]'
const redactor = createRedactor([KEY])

describe('a redactor', () => {
  test.each([
    ['as it is', KEY.value],
    ['in JSON', JSON.stringify(KEY.value).slice(1, -1)],
    ['in JSON inside of JSON', JSON.stringify(JSON.stringify(KEY.value).slice(1, -1)).slice(1, -1)],
    ['in JSON of ASCII', JSON.stringify(KEY.value).slice(1, -1).replace('é', '\\u00e9')],
    ['in a URL', encodeURIComponent(KEY.value)],
    ['in a URL with small letters', encodeURIComponent(KEY.value).toLowerCase()],
    ['in a form', new URLSearchParams({ k: KEY.value }).toString().slice(2)],
    ['in hexadecimal', Buffer.from(KEY.value).toString('hex')],
  ])('puts a mark for a secret %s', (_how, form) => {
    expect(redactor.redact(`key=${form};`)).toBe(`key=${MARK};`)
  })

  test.each(['', 'u', 'us', 'use', 'user:', 'user1:'])('finds a secret in base64 behind %j', (before) => {
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = Buffer.from(`${before}${KEY.value}and more`).toString(encoding)
      const left = redactor.redact(`Basic ${text}`)
      expect(left).toContain(MARK)
      const kept = left.slice('Basic '.length).split(MARK)
      expect(Buffer.from(kept[0] ?? '', 'base64').toString('latin1')).not.toContain('sk-')
    }
  })

  test('finds the lines of a private key, also one at a time', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'
    const pem = `-----BEGIN PRIVATE KEY-----\n${line}\nshort\n-----END PRIVATE KEY-----\n`
    const keys = createRedactor([{ name: 'PEM', value: pem }])
    expect(keys.redact(`> ${line}`)).toBe('> [redacted:PEM]')
    expect(keys.redact(pem)).toBe('[redacted:PEM]')
    expect(keys.redact('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----')
  })

  test('puts one mark for secrets that overlap or lie in each other, named after the first and longest', () => {
    const both = createRedactor([
      { name: 'SHORT', value: 'abcdefgh' },
      { name: 'LONG', value: 'abcdefghijkl' },
      { name: 'NEXT', value: 'ijklmnopqr' },
    ])
    expect(both.redact('<abcdefghijklmnopqr>')).toBe('<[redacted:LONG]>')
    expect(both.redact('<abcdefghijk>')).toBe('<[redacted:SHORT]ijk>')
    expect(both.redact('<abcdefghabcdefgh>')).toBe('<[redacted:SHORT][redacted:SHORT]>')
  })

  test('passes over what is too short to be told from other text, and has nothing to do without secrets', () => {
    expect(createRedactor([{ name: 'A', value: 'short12' }]).redact('short12')).toBe('short12')
    expect(createRedactor([]).redactJson({ a: ['b'] })).toEqual({ a: ['b'] })
  })

  test('redacts JSON in text, keys and numbers, and gives the same value where no secret is in it', () => {
    const both = createRedactor([KEY, { name: 'PIN', value: '1234567890' }])
    expect(both.redactJson({ a: [KEY.value, 1, null, true], [KEY.value]: 1234567890 })).toEqual({
      a: [MARK, 1, null, true],
      [MARK]: '[redacted:PIN]',
    })
    const clean = { a: ['b', { c: 1.5 }] }
    expect(both.redactJson(clean)).toBe(clean)
  })

  test('takes time in proportion to the text, also where all of it could be a secret', () => {
    const worst = createRedactor([{ name: 'A', value: `${'a'.repeat(10_000)}b` }])
    const text = 'a'.repeat(2_000_000)
    const start = performance.now()
    expect(worst.redact(text)).toBe(text)
    // Some 0.2 s; to compare the secret at each place would be 2 * 10^10 steps.
    expect(performance.now() - start).toBeLessThan(4_000)
  })
})

describe('a stream', () => {
  test('holds back what may become a secret, and gives it out once it does not', () => {
    const stream = createRedactor([{ name: 'K', value: 'secret-value' }]).stream()
    expect(stream.push('the secret-')).toBe('the ')
    expect(stream.push('vault')).toBe('secret-vault')
    expect(stream.push(' secret-va')).toBe(' ')
    expect(stream.push('lue!')).toBe('[redacted:K]!')
    expect(stream.push('sec')).toBe('')
    expect(stream.flush()).toBe('sec')
    expect(stream.push('ret-value') + stream.flush()).toBe('ret-value')
  })

  test('holds back no more than a secret is long, even where secrets overlap without end', () => {
    const stream = createRedactor([{ name: 'K', value: 'abababab' }]).stream()
    expect(stream.push('ab'.repeat(50))).toBe('[redacted:K]')
    for (let round = 0; round < 50; round++) expect(stream.push('ab'.repeat(50))).toBe('')
    expect(stream.push('c')).toBe('c')
  })

  test('keeps characters whole', () => {
    const stream = createRedactor([KEY]).stream()
    expect(stream.push('a\ud83d')).toBe('a')
    expect(stream.push('\ude00')).toBe('😀')
  })
})

describe('no secret survives', () => {
  /** Few letters, so that secrets overlap each other and themselves. */
  const letters = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '"'), minLength, maxLength })
  const secrets = fc.array(letters(8, 14), { minLength: 1, maxLength: 4 })
  const form = fc.constantFrom<((text: string) => string)[]>(
    (text) => text,
    (text) => JSON.stringify(text).slice(1, -1),
    encodeURIComponent,
    (text) => Buffer.from(text).toString('base64'),
  )
  const piece = fc.oneof(
    letters(0, 10),
    fc.tuple(fc.nat(), form, fc.nat({ max: 3 })).map(([at, make, cut]) => ({ at, make, cut })),
  )

  function textOf(
    values: string[],
    pieces: (string | { at: number; make: (text: string) => string; cut: number })[],
  ): string {
    return pieces
      .map((one) =>
        typeof one === 'string' ? one : one.make(values[one.at % values.length] ?? '').slice(one.cut),
      )
      .join('')
  }

  function named(values: string[]): Secret[] {
    return values.map((value, index) => ({ name: `N${index}`, value }))
  }

  test('in any text, in any of its forms, in any chunking; and the chunking changes nothing', () => {
    const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 })
    fc.assert(
      fc.property(secrets, fc.array(piece, { maxLength: 12 }), cuts, (values, pieces, at) => {
        const text = textOf(values, pieces)
        const whole = createRedactor(named(values)).redact(text)
        for (const value of values) {
          for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) {
            expect(whole).not.toContain(form)
          }
          expect(whole).not.toContain(Buffer.from(value).toString('base64'))
        }
        const stream = createRedactor(named(values)).stream()
        const bounds = [0, ...at.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length]
        const chunks = bounds.slice(1).map((end, index) => text.slice(bounds[index], end))
        expect(chunks.map((chunk) => stream.push(chunk)).join('') + stream.flush()).toBe(whole)
      }),
      { numRuns: 1_000 },
    )
  })

  test('and text without a secret comes through as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(createRedactor([{ name: 'K', value: 'not-in-there-123' }]).redact(text)).toBe(text)
      }),
    )
  })
})

describe('a mark is found', () => {
  test('wherever a redactor left one in a value, whatever the name is', () => {
    for (const name of ['API_KEY', 'AGENTRY_TOKEN', 'npm_config_//host.example/:_authToken', 'a.b-c(x86)']) {
      const { redactJson } = createRedactor([{ name, value: 'hunter2-hunter2' }])
      const values: Json[] = [
        'hunter2-hunter2',
        { a: [1, null, { b: 'key=hunter2-hunter2;' }] },
        { 'is hunter2-hunter2': true },
      ]
      for (const value of values) {
        expect(markIn(value)).toBeUndefined()
        expect(markIn(redactJson(value))).toBe(`[redacted:${name}]`)
      }
    }
  })

  test.each([
    '[redacted]',
    '[redacted:]',
    'redacted:API_KEY]',
    '[redacted:API KEY]',
    String.raw`s/\[redacted:API_KEY\]/$API_KEY/`,
    '`[redacted:${label}]`',
  ])('but not in what only speaks of marks: %s', (text) => {
    expect(markIn({ text })).toBeUndefined()
  })

  test('in time linear in the text', () => {
    const text = '[redacted:'.repeat(400_000)
    expect(markIn(text)).toBeUndefined()
    expect(markIn(`${text}K]`)).toBe('[redacted:K]')
  })
})
