import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts'
import { statusOf } from '../../src/gateway/http-errors.ts'
import { rootPathOf } from '../../src/gateway/root-paths.ts'
import { createGateway } from './harness.ts'

const page = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8')
const lines = page.split('\n')

test('docs/http.md has every route, and says which are at the root', async () => {
  const gateway = await createGateway()
  const { body } = await gateway.get<{ paths: Record<string, object> }>('/openapi.json')
  const declared = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => ({ path, route: `${method.toUpperCase()} ${path}` })),
  )
  const roots = new Set(declared.map(({ path }) => rootPathOf(path)))
  const expected = declared
    .filter(({ path, route }) => !roots.has(path) || route === 'GET /sessions')
    .map(({ path, route }) => `| \`${route}\` ${rootPathOf(path) === undefined ? '' : '`/` '}|`)
  const documented = lines.filter((line) => /^\| `[A-Z]+ \//.test(line))
  expect(documented.map((line) => line.slice(0, line.indexOf('|', 1) + 1)).toSorted()).toEqual(
    expected.toSorted(),
  )
})

test('docs/http.md has the status of every code', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const rows = lines.filter((line) => line.startsWith(`| ${statusOf(code)} |`))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toContain(`\`${code}\``)
  }
})
