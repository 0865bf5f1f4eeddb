import { chmodSync, utimesSync } from 'node:fs'
import { expect, test } from 'vitest'
import { resolveAgentSpec } from '../../../src/options.ts'
import { NO_MODELS } from '../../../src/llm-spec.ts'
import { redactorOf } from '../../../src/runtime/secrets/stay-redactor.ts'
import { openDirectory } from '../../../src/store/directory.ts'
import { ensureToken, rotateToken, tokenFileOf } from '../../../src/store/token-file.ts'
import { temporaryDirectory } from '../../fakes/temporary-directory.ts'

test('what a stay says holds neither a configured secret nor the token of the gateway', async () => {
  const directory = temporaryDirectory()
  ;(await openDirectory({ directory })).close()
  const token = ensureToken(directory)
  process.env['ODD_NAME_OF_A_LOGIN'] = 'between-you-and-me'
  const spec = resolveAgentSpec({ id: 'a', behavior: 'echo' }, directory)
  const providers = {
    own: { type: 'openai' as const, apiKeyEnv: 'ODD_NAME_OF_A_LOGIN', headers: {}, headersEnv: {} },
  }
  const { redact } = redactorOf({
    spec,
    models: { ...NO_MODELS, providers },
    store: { directory, fsync: 'always' },
  })
  expect(redact(`cat token: ${token}, and between-you-and-me`)).toBe(
    'cat token: [redacted:AGENTRY_TOKEN], and [redacted:ODD_NAME_OF_A_LOGIN]',
  )
})

test('what is handed to an MCP server is taken out too, whatever it is called', () => {
  const directory = temporaryDirectory()
  process.env['GH_PAT'] = 'ghp_16C7e42F292c6912E7'
  const agent = (envFrom: string[]): Parameters<typeof redactorOf>[0] => ({
    spec: resolveAgentSpec(
      {
        id: 'a',
        behavior: 'llm',
        model: 'openai/m',
        mcpServers: { tracker: { type: 'stdio', command: 'tracker', envFrom } },
      },
      directory,
    ),
    models: NO_MODELS,
    store: { directory, fsync: 'always' },
  })
  const text = 'the login is ghp_16C7e42F292c6912E7'
  expect(redactorOf(agent([])).redact(text)).toBe(text)
  expect(redactorOf(agent(['GH_PAT'])).redact(text)).toBe('the login is [redacted:GH_PAT]')
})

test('a token that is made or rotated during the stay is taken out too, of streams that run already as well', async () => {
  const directory = temporaryDirectory()
  ;(await openDirectory({ directory })).close()
  const spec = resolveAgentSpec({ id: 'a', behavior: 'echo' }, directory)
  const redactor = redactorOf({ spec, models: NO_MODELS, store: { directory, fsync: 'always' } })
  const stream = redactor.stream()
  expect(stream.push('begins ')).toBe('begins ')
  const first = ensureToken(directory)
  expect(redactor.redact(first)).toBe('[redacted:AGENTRY_TOKEN]')
  const second = rotateToken(directory)
  // On some systems a file made within the same 4 ms is of the same time.
  utimesSync(tokenFileOf(directory), 1_000, 1_000)
  expect(redactor.redactJson({ token: [second] })).toEqual({ token: ['[redacted:AGENTRY_TOKEN]'] })
  expect(stream.push(second.slice(0, 20))).toBe('')
  expect(stream.push(`${second.slice(20)}.`) + stream.flush()).toBe('[redacted:AGENTRY_TOKEN].')
})

test('a token whose file cannot be read any more is still taken out', async () => {
  const directory = temporaryDirectory()
  ;(await openDirectory({ directory })).close()
  const token = ensureToken(directory)
  const spec = resolveAgentSpec({ id: 'a', behavior: 'echo' }, directory)
  const redactor = redactorOf({ spec, models: NO_MODELS, store: { directory, fsync: 'always' } })
  chmodSync(tokenFileOf(directory), 0o644)
  expect(redactor.redact(token)).toBe('[redacted:AGENTRY_TOKEN]')
})
