import { describe, expect, test } from 'vitest'
import type { ToolResult } from '../../../../src/behavior.ts'
import { cappedTool } from '../../../../src/runtime/behaviors/llm/capped-tool.ts'
import { toolContext } from '../../tools/tool-context.ts'

function run(execute: () => Promise<ToolResult | string>, maxBytes = 1_000): Promise<ToolResult | string> {
  const tool = {
    name: 'many',
    description: '',
    inputSchema: { type: 'object' },
    parse: (input: unknown) => input,
    readOnly: true,
    execute,
  }
  return cappedTool(tool, maxBytes).execute({}, toolContext('/'))
}

const LONG = `begin ${'ö'.repeat(5_000)} end`
const CUT = /^begin ö+\n\[… \d+ bytes cut …\]\nö+ end$/

describe('a result that is too long for a model', () => {
  test('is cut in the middle, at whole characters, and marked', async () => {
    const result = await run(() => Promise.resolve(LONG))
    const content = typeof result === 'string' ? result : ''
    expect(content).toMatch(CUT)
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(1_000)
  })

  test('keeps its outcome and exit code', async () => {
    const result = await run(() => Promise.resolve({ content: LONG, outcome: 'error', exitCode: 3 }))
    expect(result).toEqual({ content: expect.stringMatching(CUT) as string, outcome: 'error', exitCode: 3 })
  })

  test('is cut too where it was thrown', async () => {
    const result = await run(() => Promise.reject(new Error(LONG)))
    expect(result).toEqual({ content: expect.stringMatching(CUT) as string, outcome: 'error' })
  })
})

test('what is short enough is as it was given, also what was thrown', async () => {
  const short = { content: 'x'.repeat(1_000), outcome: 'ok' as const }
  expect(await run(() => Promise.resolve(short))).toEqual(short)
  expect(await run(() => Promise.resolve('few'))).toBe('few')
  const error = new Error('no')
  await expect(run(() => Promise.reject(error))).rejects.toBe(error)
})
