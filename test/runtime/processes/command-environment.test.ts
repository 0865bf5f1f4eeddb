import { describe, expect, test } from 'vitest'
import {
  baseEnvironment,
  changedVars,
  commandEnvironment,
} from '../../../src/runtime/processes/command-environment.ts'

const origin = { agentId: 'ops', sessionId: 'S', turnId: 'T' }
const base = new Map([
  ['PATH', '/bin'],
  ['LANG', 'C'],
])

describe('the environment of a command', () => {
  test('takes a fixed list from the supervisor, and a PATH where it has none', () => {
    const source = {
      HOME: '/h',
      LC_ALL: 'C',
      TERM: 'xterm',
      AGENTRY_TOKEN: 't',
      AWS_SECRET: 's',
      TZ: undefined,
    }
    expect(Object.fromEntries(baseEnvironment(source))).toEqual({
      HOME: '/h',
      LC_ALL: 'C',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TERM: 'dumb',
    })
  })

  test('takes what a person’s programs need of directories, certificates and proxies', () => {
    const source = { XDG_RUNTIME_DIR: '/run/1', SSL_CERT_FILE: '/ca.pem', https_proxy: 'http://proxy:3128' }
    expect(Object.fromEntries(baseEnvironment(source))).toMatchObject(source)
  })

  test('takes no secret, whatever it is called or stands in', () => {
    const source = {
      OPENAI_API_KEY: 'sk-1',
      GITHUB_TOKEN: 'g-1',
      DB_PASSWORD: 'p-1',
      XDG_SESSION_TOKEN: 'x-1',
      LC_SECRET: 'l-1',
      HTTPS_PROXY: 'http://me:p-2@proxy:3128',
      https_proxy: 'http://me:pass/word@proxy:3128',
      http_proxy: 'me:p-3@proxy:3128',
      XDG_OWN_URL: 'https://me:pass/word@host',
      SSH_AUTH_SOCK: '/run/agent',
      NODE_OPTIONS: '--import /evil.js',
    }
    expect([...baseEnvironment(source).keys()]).toEqual(['PATH', 'TERM'])
  })

  test('lets vars go before the base, and who runs it before vars', () => {
    const vars = { PATH: '/mine', AGENTRY_TURN: 'forged', PWD: '/forged', 'no name': '1', ok_1: '' }
    expect(Object.fromEntries(commandEnvironment(base, vars, origin))).toEqual({
      PATH: '/mine',
      LANG: 'C',
      ok_1: '',
      AGENTRY_AGENT: 'ops',
      AGENTRY_SESSION: 'S',
      AGENTRY_TURN: 'T',
    })
  })
})

describe('what a command changed', () => {
  test('is nothing where all is as before', () => {
    const exported = new Map([...commandEnvironment(base, { A: '1' }, origin), ['PWD', '/x'], ['_', 'env']])
    expect(changedVars(base, { A: '1' }, exported)).toBeUndefined()
  })

  test('is set, changed and removed vars', () => {
    const exported = new Map([...base, ['A', '2'], ['NEW', '']])
    expect(changedVars(base, { A: '1', B: '1' }, exported)).toEqual({ A: '2', NEW: '', B: null })
  })

  test('is a variable of the base only while it differs from it', () => {
    expect(changedVars(base, {}, new Map([...base, ['PATH', '/mine']]))).toEqual({ PATH: '/mine' })
    expect(changedVars(base, { PATH: '/mine' }, base)).toEqual({ PATH: null })
    expect(changedVars(base, {}, new Map([['PATH', '/bin']]))).toBeUndefined()
  })

  test('leaves vars alone that no shell variable can hold, and names that no session can hold', () => {
    const exported = new Map([...base, ['__proto__', 'x'], ['BASH_FUNC_f%%', '() { :; }']])
    expect(changedVars(base, { 'no name': '1' }, exported)).toBeUndefined()
  })

  test('treats the names of object members as the plain names they are', () => {
    const exported = new Map([...base, ['constructor', 'x'], ['toString', 'y']])
    expect(changedVars(base, {}, exported)).toEqual({ constructor: 'x', toString: 'y' })
    expect(changedVars(base, {}, base)).toBeUndefined()
  })
})
