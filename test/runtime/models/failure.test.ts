import { expect, test } from 'vitest'
import { failureOf, retryAfterMs } from '../../../src/runtime/models/failure.ts'

const NOW = Date.UTC(2026, 0, 1)

test.each([
  [{}, undefined],
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': ' 0.5 ' }, 500],
  [{ 'retry-after': '-3' }, undefined],
  [{ 'retry-after': '' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': new Date(NOW + 9_000).toUTCString() }, 9_000],
  [{ 'retry-after': new Date(NOW - 9_000).toUTCString() }, 0],
  [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
])('Retry-After in %j asks for %j ms', (headers, expected) => {
  expect(retryAfterMs(headers, NOW)).toBe(expected)
})

test.each([
  ['a mistake in our own code', new TypeError('x is not a function'), false],
  ['a broken connection', new TypeError('terminated'), true],
  ['an error event of a busy server', { message: 'Overloaded', type: 'server_error' }, true],
  ['an error event with a status', { message: 'Bad gateway', code: 502 }, true],
  ['an error event about a key', { message: 'No', code: 401 }, false],
  ['an error event about the request', { message: 'No', type: 'invalid_request_error' }, false],
  ['an error event that says nothing', {}, true],
  ['a text', 'no', true],
])('%s: may the same request succeed later?', (_, error, retryable) => {
  expect(failureOf(error, NOW)).toMatchObject({ retryable, contextTooLong: false })
})

test('an error event says that the conversation is too long', () => {
  const error = { error: { code: 'context_length_exceeded', message: 'too much' } }
  expect(failureOf(error, NOW)).toMatchObject({ retryable: false, contextTooLong: true })
})

test('a reason is one line of bounded length, well-formed', () => {
  const { reason } = failureOf(new Error(`a\n\tb${'\u{1f600}'.repeat(500)}`), NOW)
  expect(reason).toMatch(/^a b/)
  expect(reason.length).toBeLessThanOrEqual(400)
  expect(reason.isWellFormed()).toBe(true)
})

test('the code of the system behind a failed fetch is told', () => {
  const cause = Object.assign(new Error('no'), { code: 'ENOTFOUND' })
  expect(failureOf(new TypeError('fetch failed', { cause }), NOW)).toMatchObject({
    retryable: true,
    reason: 'fetch failed (ENOTFOUND)',
  })
})
