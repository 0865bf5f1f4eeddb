import { expect, test } from 'vitest'
import { echoBehavior } from '../../../src/runtime/behaviors/echo.ts'
import { fakeContext, fakeSession } from './fake-context.ts'

test('answers a message with its own text, and may be run again after a crash', async () => {
  const context = fakeContext(fakeSession('/'))
  expect(await echoBehavior.run('  two\nlines ', context)).toBe('  two\nlines ')
  expect(echoBehavior.resumable).toBe(true)
  expect(context.calls).toEqual([])
})
