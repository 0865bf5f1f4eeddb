import { describe, expect, test } from 'vitest'
import { configuredSecretNames, handedOnNames } from '../../../src/runtime/secrets/configured-names.ts'
import { isSecretName, secretsOf } from '../../../src/runtime/secrets/secrets-of.ts'

const found = (environment: Record<string, string | undefined>, names: string[] = []): string[] =>
  secretsOf(environment, names).map(({ name, value }) => `${name}=${value}`)

test.each([
  'OPENAI_API_KEY',
  'GITHUB_TOKEN',
  'AGENTRY_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'SECRET_KEY_BASE',
  'PGPASSWORD',
  'DB_PASSWORD',
  'MYSQL_PWD',
  'SSH_PASSPHRASE',
  'npm_config_authToken',
  'APIKEY',
  'GCP_CREDENTIALS',
  'SENTRY_DSN',
])('%s is the name of a secret', (name) => {
  expect(isSecretName(name)).toBe(true)
})

test.each(['PATH', 'HOME', 'PWD', 'OLDPWD', 'MONKEY', 'KEYBOARD', 'TOKEN_URL', 'SSH_AUTH_SOCK', 'LANG'])(
  '%s is not',
  (name) => {
    expect(isSecretName(name)).toBe(false)
  },
)

describe('the secrets of an environment', () => {
  test('are those that are listed and those with the name of one', () => {
    const environment = {
      LOCAL: 'listed-value',
      A_TOKEN: 'token-value',
      OTHER: 'other-value',
      NONE: undefined,
    }
    expect(found(environment, ['LOCAL', 'NONE', 'NOT_THERE'])).toEqual([
      'LOCAL=listed-value',
      'A_TOKEN=token-value',
    ])
  })

  test('are no short values, and no trivial ones unless they are listed', () => {
    const environment = {
      A_TOKEN: 'true',
      B_TOKEN: '12345678901',
      C_KEY: '/etc/ssl/private/server.key',
      D_KEY: '~/.ssh/id_ed25519',
      E_SECRET: '-----*****-----',
      F_TOKEN: '        x        ',
    }
    expect(found(environment)).toEqual([])
    expect(found(environment, ['B_TOKEN', 'A_TOKEN'])).toEqual(['B_TOKEN=12345678901'])
  })

  test('are values that are handed to somebody, but for trivial ones', () => {
    const environment = {
      GH_PAT: 'ghp_16C7e42F292c',
      JAVA_HOME: '/usr/lib/jvm/java-21',
      PORT_RANGE: '10000-20000',
    }
    expect(secretsOf(environment, [], Object.keys(environment))).toEqual([
      { name: 'GH_PAT', value: 'ghp_16C7e42F292c' },
    ])
  })

  test('are keys in base64 too that begin like a path', () => {
    const value = '/wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY/+='
    expect(found({ AWS_SECRET_ACCESS_KEY: value })).toEqual([`AWS_SECRET_ACCESS_KEY=${value}`])
  })

  test.each([
    ['http_proxy', 'alice:s3cretpass@proxy:3128', 's3cretpass'],
    ['https_proxy', 'http://alice:pa/ss#wo@rd@proxy:3128', 'pa/ss#wo@rd'],
    ['ALL_PROXY', 'socks5://alice:s3cretpass@proxy', 's3cretpass'],
    ['ODD', 'alice:s3cretpass@host/path', 's3cretpass'],
  ])('are passwords of %s=%s, a proxy with its own loose form', (name, value, password) => {
    expect(found({ [name]: value })).toEqual([`${name}=${password}`])
  })

  test.each(['http://host:3128/path@rest', 'git@github.com:owner/repository@tag', '12:30 at me@example.org'])(
    'are not in %s',
    (value) => {
      expect(found({ ODD: value })).toEqual([])
    },
  )

  test('are passwords in URLs, as they are written and as they are meant', () => {
    const environment = {
      DATABASE_URL: 'postgres://app:p%40ssword-1@db:5432/app',
      SITE: 'https://example.org/a:b@c',
    }
    expect(found(environment)).toEqual(['DATABASE_URL=p%40ssword-1', 'DATABASE_URL=p@ssword-1'])
  })
})

test('the variables that a configuration names are those of providers, of MCP servers and of the gateway', () => {
  const server = { startMs: 1, headers: {}, url: 'http://localhost' }
  const names = configuredSecretNames(
    {
      providers: {
        a: { type: 'openai', apiKeyEnv: 'A', headers: {}, headersEnv: { 'x-key': 'B' } },
        b: { type: 'google', headers: {}, headersEnv: {} },
      },
    },
    [
      { type: 'http', tokenEnv: 'C', ...server },
      { type: 'http', ...server },
      { type: 'stdio', command: 'x', args: [], env: {}, envFrom: ['LANG'], startMs: 1 },
    ],
  )
  expect([...names].toSorted()).toEqual(['A', 'AGENTRY_TOKEN', 'B', 'C'])
})

test('what envFrom hands on counts as a secret by whatever name, but for what commands see anyway', () => {
  const server = { type: 'stdio' as const, command: 'x', args: [], env: { FIXED: 'x' }, startMs: 1 }
  const names = handedOnNames([
    { ...server, envFrom: ['GH_PAT', 'LANG', 'HOME', 'LC_ALL'] },
    { ...server, envFrom: ['LOGIN_OF_TRACKER', 'XDG_API_TOKEN', 'PATH'] },
    { type: 'http', url: 'http://localhost', headers: {}, startMs: 1 },
  ])
  expect([...names]).toEqual(['GH_PAT', 'LOGIN_OF_TRACKER', 'XDG_API_TOKEN'])
})
