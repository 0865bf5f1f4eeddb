/**
 * Writes test/e2e/openapi-types.d.ts from the OpenAPI document: `npm run api:types`. The tests talk to the gateway by these types, which
 * a generator made that knows nothing of it.
 *
 * The generator wants TypeScript 5, of which it uses the interface that 7 does not have: it is installed for this run, in a folder of its own.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp } from '../src/gateway/app.ts'
import { createTeam } from '../src/team.ts'

const GENERATOR = ['openapi-typescript@7', 'typescript@5']

export const TYPES_FILE: URL = new URL('../test/e2e/openapi-types.d.ts', import.meta.url)

/** The document as the gateway answers it, and the routes of the app behind it, such as `GET /agents/{agent}`. */
export async function readDocument(): Promise<{ text: string; routes: string[] }> {
  const data = mkdtempSync(join(tmpdir(), 'agentry-openapi-'))
  const team = await createTeam({ data, host: 'in-process' })
  try {
    const app = createApp(team, { token: () => 'none', originsAt: () => [], version: '0.0.0' })
    const routes = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    return { text: await (await app.request('/openapi.json')).text(), routes }
  } finally {
    await team.close()
    rmSync(data, { recursive: true })
  }
}

/** The first line of the file that was made of this document. */
export function firstLineOf(document: string): string {
  return `// Made of the document with the SHA-256 ${createHash('sha256').update(document).digest('hex')}.`
}

async function writeTypes(): Promise<void> {
  const { text } = await readDocument()
  const folder = mkdtempSync(join(tmpdir(), 'agentry-openapi-types-'))
  const run = (command: string, ...args: string[]): unknown =>
    execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    writeFileSync(join(folder, 'openapi.json'), text)
    run('npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', ...GENERATOR)
    run(join(folder, 'node_modules/.bin/openapi-typescript'), 'openapi.json', '--output', 'types.d.ts')
    const types = readFileSync(join(folder, 'types.d.ts'), 'utf8')
    writeFileSync(TYPES_FILE, `${firstLineOf(text)}\n${types}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const oxfmt = fileURLToPath(new URL('../node_modules/.bin/oxfmt', import.meta.url))
  execFileSync(oxfmt, [fileURLToPath(TYPES_FILE)], { stdio: 'inherit' })
}

if (import.meta.main) await writeTypes()
