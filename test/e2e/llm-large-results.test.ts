/** What MCP servers and modules of users give at length, through the whole stack. */
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'
import { rogue } from '../runtime/mcp/calls.ts'
import { call, llmTeam } from './llm-team.ts'

const CUT = /\n\[… \d+ bytes cut …\]\n/

test('a model is given and a session keeps at most 64 KiB of a result, the outcome with it', async () => {
  const path = join(temporaryDirectory(), 'tool.mjs')
  const root = new URL('../..', import.meta.url).pathname
  writeFileSync(
    path,
    `import { defineTool } from '${join(root, 'src/behavior.ts')}'
     import { z } from '${createRequire(import.meta.url).resolve('zod')}'
     export default defineTool({
       name: 'own', description: 'Much.', input: z.object({}),
       execute: () => 'begin ' + 'x'.repeat(2_000_000) + ' end',
     })`,
  )
  const { agent, server, memory } = await llmTeam(
    ({ messages }) =>
      messages.some(({ role }) => role === 'tool')
        ? 'enough'
        : [call('r__big', {}), call('r__refuse', {}), call('own', {})],
    { coder: { tools: [path], mcpServers: { r: rogue('tools') } } },
  )
  expect(await agent().send('begin')).toMatchObject({ status: 'completed', result: 'enough' })
  const given = server.requests.at(-1)?.messages.filter(({ role }) => role === 'tool') ?? []
  expect(given).toHaveLength(3)
  for (const { content } of given) {
    expect(content).toMatch(CUT)
    expect(content).toMatch(/begin (no|x)/)
    expect(content).toMatch(/ end$/)
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(64 * 1024)
  }
  const kept = (await memory()).filter(({ role }) => role === 'tool')
  expect(kept.map(({ content }) => content)).toEqual(given.map(({ content }) => content))
})

test('why a server is not there is noted in at most 4 KiB, and the turn goes on', async () => {
  const { agent, team } = await llmTeam(() => 'done', { coder: { mcpServers: { no: rogue('refuse') } } })
  const notes: string[] = []
  const stop = new AbortController()
  const events = team.events({ signal: stop.signal })
  const reading = (async () => {
    for await (const event of events) if (event.type === 'note') notes.push(event.note.message)
  })()
  expect(await agent().send('begin')).toMatchObject({ status: 'completed', result: 'done' })
  await until('the note', () => notes.length > 0)
  stop.abort()
  await reading
  expect(notes).toHaveLength(1)
  expect(notes[0]).toMatch(/^the MCP server no could not be started: begin no no .*…$/)
  expect(Buffer.byteLength(notes[0] ?? '')).toBeLessThanOrEqual(4_096)
})
