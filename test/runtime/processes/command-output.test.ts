import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CommandOutput } from '../../../src/runtime/processes/command-output.ts'

function capture(maxBytes: number, pieces: string[]): string {
  const output = new CommandOutput(maxBytes)
  for (const piece of pieces) output.write(piece)
  return output.text()
}

test('gives what fits as it came', () => {
  expect(capture(128, [])).toBe('')
  expect(capture(128, ['a', '', 'bc', 'é'])).toBe('abcé')
  expect(capture(128, ['x'.repeat(64)])).toBe('x'.repeat(64))
})

test('keeps the beginning and the end of what does not fit, and says how much is missing', () => {
  expect(capture(128, ['a'.repeat(32), 'b'.repeat(1000), 'c'.repeat(32)])).toBe(
    `${'a'.repeat(32)}\n[… 1000 bytes cut …]\n${'c'.repeat(32)}`,
  )
})

test('cuts between characters', () => {
  // 32 bytes are 10 characters of 3 bytes and 2 bytes over, at both cuts.
  expect(capture(128, ['€'.repeat(1000)])).toBe(`${'€'.repeat(10)}\n[… 2940 bytes cut …]\n${'€'.repeat(10)}`)
})

test('for all pieces and limits: bounded, a true beginning and end, an exact count', () => {
  const character = fc.constantFrom('a', 'é', '€', '\u{1F600}', '\n')
  const pieces = fc.array(fc.string({ unit: character, maxLength: 80 }), { maxLength: 40 })
  fc.assert(
    fc.property(fc.integer({ min: 128, max: 400 }), pieces, (maxBytes, pieces) => {
      const whole = pieces.join('')
      const text = capture(maxBytes, pieces)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes)
      const marker = /\n\[… (\d+) bytes cut …\]\n/.exec(text)
      if (marker === null) {
        expect(text).toBe(whole)
        return
      }
      const head = text.slice(0, marker.index)
      const tail = text.slice(marker.index + marker[0].length)
      expect(whole.startsWith(head) && whole.endsWith(tail)).toBe(true)
      expect(Buffer.byteLength(head + tail) + Number(marker[1])).toBe(Buffer.byteLength(whole))
    }),
  )
})
