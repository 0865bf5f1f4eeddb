import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { violations, type Rules } from './layering/check.ts'
import { importsOf } from './layering/imports.ts'
import { RULES } from './layering/rules.ts'

const root = new URL('../', import.meta.url)

describe('the source', () => {
  const paths = globSync(['src/**/*.{ts,tsx}', 'workers/**/*.ts'], { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
  const files = paths.map((path) => ({ path, source: readFileSync(new URL(path, root), 'utf8') }))

  test('imports downward only, and meets each library in its one place', () => {
    expect(paths).toContain('src/core/fold.ts')
    expect(violations(files, RULES)).toEqual([])
  })

  test('has every file that a rule names', () => {
    const places = [...RULES.doors, ...RULES.computedImports, ...RULES.layers].flatMap((rule) => rule.paths)
    const named = places.filter((place) => !place.endsWith('/'))
    expect(named.filter((place) => !paths.includes(place))).toEqual([])
  })
})

describe('the check', () => {
  const rules: Rules = {
    layers: [
      { name: 'low', paths: ['src/low/'], imports: [] },
      { name: 'types', paths: ['src/low/types.ts'], imports: [], types: ['low'] },
      { name: 'high', paths: ['src/high/', 'src/main.ts'], imports: ['low'], types: ['types'] },
    ],
    doors: [
      { module: 'vendor', paths: ['src/high/vendor.ts'], why: 'one place' },
      { module: 'node:fs', paths: ['src/low/'], why: 'files are low' },
    ],
    computedImports: [{ paths: ['src/high/plugins.ts'], why: 'plugins' }],
  }
  const good = {
    'src/low/base.ts': `import { readFile } from 'node:fs/promises'\nexport const base = 1`,
    'src/low/types.ts': `import type { base } from './base.ts'\nexport type Base = typeof base`,
    'src/high/vendor.ts': `import vendor from 'vendor/sub'\nimport 'node:path'`,
    'src/high/plugins.ts': `export const load = (path: string) => import(path)`,
    'src/main.ts': `import { base } from './low/base.ts'\nimport type { Base } from './low/types.ts'`,
  }
  const check = (changed: Record<string, string>) =>
    violations(
      Object.entries({ ...good, ...changed }).map(([path, source]) => ({ path, source })),
      rules,
    )

  test('passes sources that keep the rules', () => {
    expect(check({})).toEqual([])
  })

  test.each([
    ['an import upward', `import { main } from '../main.ts'`],
    ['a type from above', `import type { Main } from '../main.ts'`],
    ['a re-export from above', `export { main } from '../main.ts'`],
    ['everything from above', `export * from '../main.ts'`],
    ['an import type from above', `export type Main = import('../main.ts').Main`],
    ['a dynamic import upward', `const main = await import('../main.ts')`],
    ['a required file from above', `const main = require('../main.ts')`],
  ])('finds %s', (_, line) => {
    expect(check({ 'src/low/base.ts': `// first line\n${line}` })).toContain(
      'src/low/base.ts:2: low imports high (src/main.ts)',
    )
  })

  test.each([
    [
      'a value of a layer that gives types',
      { 'src/main.ts': `import { Base } from './low/types.ts'` },
      'src/main.ts:1: high imports more than types of types (src/low/types.ts)',
    ],
    [
      'one value among types',
      { 'src/main.ts': `import { type Base, x } from './low/types.ts'` },
      'src/main.ts:1: high imports more than types of types (src/low/types.ts)',
    ],
    [
      'a library past its door',
      { 'src/main.ts': `import { thing } from 'vendor'` },
      'src/main.ts:1: imports vendor past its door (one place)',
    ],
    [
      'a library’s type past its door',
      { 'src/main.ts': `import type { Thing } from 'vendor/sub'` },
      'src/main.ts:1: imports vendor/sub past its door (one place)',
    ],
    [
      'a built-in module past its door',
      { 'src/main.ts': `import { readFile } from 'node:fs/promises'` },
      'src/main.ts:1: imports node:fs/promises past its door (files are low)',
    ],
    [
      'a built-in module without its prefix',
      { 'src/main.ts': `import { readFile } from 'fs'` },
      'src/main.ts:1: imports fs, a package without a door',
    ],
    [
      'a package that no rule knows',
      { 'src/main.ts': `import left from 'left-pad'` },
      'src/main.ts:1: imports left-pad, a package without a door',
    ],
    [
      'a package whose name begins like another',
      { 'src/high/vendor.ts': `import 'vendors'` },
      'src/high/vendor.ts:1: imports vendors, a package without a door',
    ],
    [
      'an import that is computed',
      { 'src/main.ts': 'await import(`./${name}.ts`)' },
      'src/main.ts:1: computes what it imports',
    ],
    [
      'a file that is not there',
      { 'src/main.ts': `import './gone.ts'` },
      'src/main.ts:1: imports src/gone.ts, which is not there',
    ],
    ['a file of no layer', { 'lib/new.ts': '' }, 'lib/new.ts: belongs to no layer'],
    [
      'a ring of imports',
      { 'src/high/a.ts': `import './b.ts'`, 'src/high/b.ts': `import './a.ts'` },
      'a ring of imports: src/high/a.ts -> src/high/b.ts -> src/high/a.ts',
    ],
  ])('finds %s', (_, changed, violation) => {
    expect(check(changed)).toEqual([violation])
  })

  test('takes nothing for an import that is none', () => {
    const source = [
      `// import { main } from '../main.ts'`,
      `/* import '../main.ts' */`,
      'const text = `import "../main.ts"`',
      `const pattern = /['"\`]/`,
      `export { text }`,
      `export const require2 = (path: string) => path`,
    ]
    expect(importsOf(source.join('\n'))).toEqual([])
  })
})
