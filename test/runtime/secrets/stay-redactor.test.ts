import { expect, test } from 'vitest'
import { resolveAgentSpec } from '../../../src/options.ts'
import { NO_MODELS } from '../../../src/llm-spec.ts'
import { redactorOf } from '../../../src/runtime/secrets/stay-redactor.ts'
import { openDirectory } from '../../../src/store/directory.ts'
import { ensureToken } from '../../../src/store/token-file.ts'
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
