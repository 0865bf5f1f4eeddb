import { expect, test } from 'vitest'
import { Limiter } from '../../src/supervisor/limiter.ts'

test('runs no more than the limit at once, the others in the order they came', async () => {
  const limiter = new Limiter(2)
  const begun: number[] = []
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
  const works = gates.map(({ promise }, index) =>
    limiter.run(async () => {
      begun.push(index)
      await promise
      return index
    }),
  )
  await Promise.resolve()
  expect(begun).toEqual([0, 1])
  gates[1]?.resolve()
  expect(await works[1]).toBe(1)
  await Promise.resolve()
  expect(begun).toEqual([0, 1, 2])
  for (const { resolve } of gates) resolve()
  expect(await Promise.all(works)).toEqual([0, 1, 2, 3, 4])
  expect(begun).toEqual([0, 1, 2, 3, 4])
})

test('gives the place of a failed work to the next', async () => {
  const limiter = new Limiter(1)
  const failed = limiter.run(() => Promise.reject(new Error('no luck')))
  const next = limiter.run(() => Promise.resolve('done'))
  await expect(failed).rejects.toThrow('no luck')
  expect(await next).toBe('done')
  expect(await limiter.run(() => Promise.resolve('free again'))).toBe('free again')
})
