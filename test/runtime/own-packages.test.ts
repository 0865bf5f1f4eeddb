/** Modules in a folder outside of the checkout, by Node's own loader. Those that await at their top level: test/e2e/own-modules.test.ts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defaultOf, loadModule } from '../../src/runtime/load-module.ts'
import { loadTools } from '../../src/runtime/tools/load-tools.ts'
import { errorWith } from '../error-with.ts'
import { scratchDirectory } from './processes/processes.ts'

/** Writes the files, and gives the path of the first. */
function written(files: { [path: string]: string }): string {
  const folder = scratchDirectory()
  const paths = Object.keys(files).map((path) => join(folder, path))
  for (const [index, text] of Object.values(files).entries()) {
    const path = paths[index] ?? ''
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return paths[0] ?? ''
}

async function exported(files: { [path: string]: string }): Promise<unknown> {
  return defaultOf(await loadModule(written(files)))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}

const TOOL = `import { defineTool } from 'agentry/behavior'
import { z } from 'zod'
export default defineTool({ name: 'mine', description: '', input: z.object({}), execute: () => 'x' })`

test.each([
  ['imports', 'tool.mjs', TOOL],
  [
    'is TypeScript',
    'tool.ts',
    `${TOOL.replace('() =>', '(): string =>')}\nexport type { Tool } from 'agentry/behavior'`,
  ],
  [
    'requires',
    'tool.cjs',
    `const { defineTool } = require('agentry/behavior')
const { z } = require('zod')
exports.default = defineTool({ name: 'mine', description: '', input: z.object({}), execute: () => 'x' })`,
  ],
])(
  'a tool of a module that %s is made with agentry and zod, none of them installed',
  async (_, name, text) => {
    const { tools } = await loadTools([written({ [name]: text })], { builtIn: new Map() })
    expect(tools.map((tool) => tool.name)).toEqual(['mine'])
  },
)

test('a module may import late, and by way of another one: it gets the zod of Agentry itself', async () => {
  const loaded = (await exported({
    'main.mjs': `export default { late: () => import('./part.mjs') }`,
    'part.mjs': `export { z } from 'zod/v4'\nexport * as agentry from 'agentry'`,
  })) as { late: () => Promise<{ z: unknown; agentry: { createTeam?: unknown } }> }
  const { z: found, agentry } = await loaded.late()
  expect(found).toBe(z)
  expect(typeof agentry.createTeam).toBe('function')
})

const OWN_ZOD = {
  'node_modules/zod/package.json': '{ "name": "zod", "exports": { ".": "./own.js" }, "type": "module" }',
  'node_modules/zod/own.js': `export const z = 'its own'`,
}

test.each([
  ['imports', 'main.mjs', `export { z as default } from 'zod'`],
  ['requires', 'main.cjs', `exports.default = require('zod').z`],
])('a module that %s gets the zod that is installed for it', async (_, name, text) => {
  expect(await exported({ [name]: text, ...OWN_ZOD })).toBe('its own')
})

test.each([
  ['lacks what is imported', `import 'zod/v4'`, OWN_ZOD, /'\.\/v4' is not defined/],
  [
    'is broken',
    `import 'zod'`,
    { 'node_modules/zod/package.json': '{ "name": "zod", "main": "gone.js" }' },
    /node_modules\/zod\/gone\.js/,
  ],
])('an installed zod that %s fails as it does anywhere', async (_, text, files, message) => {
  const error = await exported({ 'main.mjs': text, ...files }).catch((thrown: unknown) => thrown)
  expect(messageOf(error)).toMatch(message)
})

test.each([
  ['import', 'main.mjs', `import 'unheard-of'`, "Cannot find package 'unheard-of' imported from PATH"],
  ['require', 'main.cjs', `require('unheard-of')`, "Cannot find module 'unheard-of'\nRequire stack:\n- PATH"],
  // Installed for Agentry, and not offered; nor is what only begins like an offered one.
  ['import', 'main.mjs', `import 'commander'`, "Cannot find package 'commander' imported from PATH"],
  ['import', 'main.mjs', `import 'zod-like'`, "Cannot find package 'zod-like' imported from PATH"],
  ['import', 'main.mjs', `import './zod'`, `Cannot find module 'FOLDER/zod' imported from PATH`],
])('%s of another package fails with its own message (%s: %s)', async (_, name, text, message) => {
  const path = written({ [name]: text })
  const expected = message.replace('PATH', path).replace('FOLDER', dirname(path))
  await expect(loadTools([path], { builtIn: new Map() })).rejects.toThrow(errorWith('start_failed', expected))
})

test('a part of agentry that there is not is named', async () => {
  const error = await exported({ 'main.mjs': `import 'agentry/nope'` }).catch((thrown: unknown) => thrown)
  expect(messageOf(error)).toMatch(/'\.\/nope' is not defined by "exports"/)
})
