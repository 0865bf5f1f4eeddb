import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../../src/runtime/tools/define-tool.ts'
import { loadTools } from '../../../src/runtime/tools/load-tools.ts'
import type { Tool } from '../../../src/runtime/tools/tool.ts'
import { errorWith } from '../../error-with.ts'
import { scratchDirectory } from '../processes/processes.ts'

function tool(name: string): Tool {
  return defineTool({ name, description: '', input: z.object({}), execute: () => name })
}

const builtIn: ReadonlyMap<string, Tool> = new Map(['read', 'shell'].map((name) => [name, tool(name)]))

function moduleWith(source: string): string {
  const path = join(scratchDirectory(), 'tools.mjs')
  const source_ = new URL('../../../src/runtime/tools/define-tool.ts', import.meta.url)
  const zod = pathToFileURL(new URL('../../../node_modules/zod/index.js', import.meta.url).pathname)
  writeFileSync(
    path,
    `import { defineTool } from ${JSON.stringify(source_.href)}
import { z } from ${JSON.stringify(zod.href)}
const tool = (name) => defineTool({ name, description: '', input: z.object({}), execute: () => name })
${source}`,
  )
  return path
}

const load = (...names: string[]) => loadTools(names, { builtIn })

test('gives built-in tools in the order of their names, no user code loaded', async () => {
  const { tools, userModule } = await load('shell', 'read')
  expect(tools.map(({ name }) => name)).toEqual(['shell', 'read'])
  expect(userModule).toBe(false)
})

test.each([
  ['one tool', `export default tool('mine')`, ['mine']],
  ['a list of tools', `export default [tool('mine'), tool('yours')]`, ['mine', 'yours']],
  ['a module that awaits', `await Promise.resolve(); export default tool('mine')`, ['mine']],
])('loads %s from a module, and says that user code was loaded', async (_, source, names) => {
  const { tools, userModule } = await load('read', moduleWith(source))
  expect(tools.map(({ name }) => name)).toEqual(['read', ...names])
  expect(userModule).toBe(true)
})

test('names an unknown tool, what there is, and what may have been meant', async () => {
  await expect(load('shel')).rejects.toThrow(
    errorWith('start_failed', /one of read, shell, or the absolute path.*"shel".*did you mean "shell"/),
  )
})

test.each([
  ['a relative path', './tools.mjs', 'absolute path'],
  ['a module that is not there', '/nowhere/tools.mjs', 'does not load'],
])('refuses %s', async (_, name, part) => {
  await expect(load(name)).rejects.toThrow(errorWith('start_failed', part))
})

test.each([
  ['throws', `throw new Error('broken inside')`, 'broken inside'],
  ['has no default export', `export const a = tool('mine')`, 'received undefined'],
  ['exports an empty list', `export default []`, 'made by defineTool'],
  [
    'exports what looks like a tool',
    `export default { name: 'x', execute() {}, parse() {} }`,
    'made by defineTool',
  ],
])('refuses a module that %s', async (_, source, part) => {
  await expect(load(moduleWith(source))).rejects.toThrow(errorWith('start_failed', part))
})

test.each([
  ['a name', ['read', 'read']],
  ['a tool of a module', ['read', `export default tool('read')`]],
])('refuses %s that comes twice', async (_, [first = '', second = '']) => {
  const other = second.startsWith('export') ? moduleWith(second) : second
  await expect(load(first, other)).rejects.toThrow(errorWith('start_failed', '"read" comes twice'))
})
