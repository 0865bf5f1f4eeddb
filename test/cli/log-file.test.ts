import { chmodSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openLogFile } from '../../src/cli/log-file.ts'
import { createLog } from '../../src/cli/log.ts'
import { errorWith } from '../error-with.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'
import { createCli } from './harness.ts'
import { createTextSink } from './text-sink.ts'

describe('a log in a file', () => {
  test('is for its owner alone, and has every line at once, secrets replaced', () => {
    const path = join(temporaryDirectory(), 'serve.log')
    const file = openLogFile(path, createTextSink(false))
    createLog(file, 'info').info({ token: 'hush', agent: { apiKey: 'hush' }, route: '/x' }, 'one')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const text = readFileSync(path, 'utf8')
    expect(JSON.parse(text)).toMatchObject({ token: '[Redacted]', route: '/x', msg: 'one' })
    expect(text).not.toContain('hush')
    file.close()
    file.close()
  })

  test('goes on behind what is there, and at the beginning of a file that was cut', () => {
    const path = join(temporaryDirectory(), 'serve.log')
    writeFileSync(path, 'before\n')
    chmodSync(path, 0o640)
    const file = openLogFile(path, createTextSink(false))
    file.write('one\n')
    expect(readFileSync(path, 'utf8')).toBe('before\none\n')
    truncateSync(path, 0)
    file.write('two\n')
    expect(readFileSync(path, 'utf8')).toBe('two\n')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    file.close()
  })

  test('loses lines where the disk is full, says so once, and goes on', () => {
    const stderr = createTextSink(false)
    const file = openLogFile('/dev/full', stderr)
    file.write('one\n')
    file.write('two\n')
    expect(stderr.text()).toMatch(/^the log cannot be written, lines are lost: ENOSPC.*\n$/)
    file.close()
  })

  test('is refused where the file cannot be opened, before anything else is', async () => {
    expect(() => openLogFile(temporaryDirectory(), createTextSink(false))).toThrow(errorWith('invalid_input'))
    const cli = createCli()
    const { code, error } = await cli.fail('serve', '--port', '0', '--log-file', 'missing/serve.log')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'invalid_input' })
    expect(error.message).toContain('--log-file: cannot be opened: ENOENT')
    expect(existsSync(join(cli.cwd, 'sessions'))).toBe(false)
  })

  test('is that of a whole run of the server', async () => {
    let end: () => void = () => undefined
    const cli = createCli({
      onSignal: (listener) => {
        end = () => listener('SIGTERM')
        return () => undefined
      },
    })
    const path = join(cli.cwd, 'serve.log')
    const serving = cli.run('serve', '--port', '0', '--log-file', 'serve.log')
    const messages = (): unknown[] =>
      existsSync(path)
        ? readFileSync(path, 'utf8')
            .trim()
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => (JSON.parse(line) as { msg: unknown }).msg)
        : []
    await until('the start', () => messages().includes('serving'))
    end()
    expect(await serving).toMatchObject({ code: 0, stderr: '' })
    expect(messages()).toEqual(['serving', 'stopping: no new work is taken', 'stopped'])
  })
})
