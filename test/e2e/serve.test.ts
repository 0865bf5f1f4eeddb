import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDirectory } from '../../src/store/directory.ts'
import { until } from '../fakes/until.ts'
import { ended, runCli, startCli, temporaryFolder } from './built-cli.ts'
import { rawRequest, type Served, startServe } from './built-serve.ts'

function eventSource(served: Served, url: string): EventSource {
  return new EventSource(url, {
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${served.token}` } }),
  })
}

describe('agentry serve', () => {
  test('keeps its token from everybody but its owner', async () => {
    const served = await startServe()
    expect(statSync(served.tokenFile).mode & 0o777).toBe(0o600)
    expect(statSync(join(served.tokenFile, '..')).mode & 0o777).toBe(0o700)
    expect(served.token).toMatch(/^[\w-]{43}$/)
    const { body } = await served.ask<{ result: string }>('POST', '/message', {
      input: 'env; cat /proc/$PPID/cmdline',
    })
    expect(body.result).not.toContain(served.token)
    await fetch(`${served.url}/agents`, { headers: { authorization: 'Bearer wrong-token-in-the-log' } })
    expect(readFileSync(`/proc/${served.child.pid}/cmdline`, 'utf8')).not.toContain(served.token)
    const owner = readFileSync(join(served.cwd, 'sessions/.agentry/owner.json'), 'utf8')
    expect(JSON.parse(owner)).toMatchObject({ url: served.url, pid: served.child.pid })
    expect(owner).not.toContain(served.token)
    expect(await served.stop()).toBe(0)
    expect(served.log()).toContain('"status":401')
    expect(served.log()).not.toContain(served.token)
    expect(served.log()).not.toContain('wrong-token-in-the-log')
  })

  test('takes a rotated token, and refuses the one before, without a restart', async () => {
    const served = await startServe()
    expect((await runCli(['token', 'rotate'], { cwd: served.cwd })).stdout).not.toContain(served.token)
    const fresh = readFileSync(served.tokenFile, 'utf8').trim()
    const status = async (token: string): Promise<number> =>
      (await fetch(`${served.url}/agents`, { headers: { authorization: `Bearer ${token}` } })).status
    await until('the new token', async () => (await status(fresh)) === 200)
    expect(await status(served.token)).toBe(401)
    expect(statSync(served.tokenFile).mode & 0o777).toBe(0o600)
    await served.stop()
  })

  test('keeps its token where the file is damaged, and tells nobody where that is', async () => {
    const served = await startServe()
    writeFileSync(served.tokenFile, 'no token\n')
    const status = async (token: string): Promise<number> => {
      const response = await fetch(`${served.url}/agents`, { headers: { authorization: `Bearer ${token}` } })
      const body = await response.text()
      if (!response.ok) expect(body).not.toContain(served.cwd)
      return response.status
    }
    await until('the reading of the file', async () => {
      expect(await status('not-the-token-of-it')).toBe(401)
      return served.log().includes('the token stays what it was')
    })
    expect(await status(served.token)).toBe(200)
    await served.stop()
  })

  test('refuses to be reached from beyond the machine unless all is said that makes it safe', async () => {
    const cwd = temporaryFolder()
    for (const args of [
      ['--host', '0.0.0.0'],
      ['--host', '::', '--insecure-http'],
      ['--host', '192.0.2.1'],
      ['--host', '0.0.0.0', '--allow-host', 'proxy.example'],
      ['--host', '0.0.0.0', '--insecure-http', '--allow-host', '0.0.0.0'],
    ]) {
      const { code, stderr } = await runCli(['--json', 'serve', '--port', '0', ...args], { cwd })
      expect(code).toBe(2)
      expect(stderr).toContain('insecure_bind')
    }
    expect(existsSync(join(cwd, 'sessions'))).toBe(false)
  })

  test('is one for a directory: a second is refused, and told where the first is', async () => {
    const served = await startServe()
    const startedMs = performance.now()
    const { code, stderr } = await runCli(['--json', 'serve', '--port', '0'], { cwd: served.cwd })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(code).toBe(4)
    expect(JSON.parse(stderr.split('\n')[0] ?? '')).toMatchObject({
      error: { code: 'directory_owned', data: { pid: served.child.pid, url: served.url } },
    })
    await served.stop()
  })

  test('takes another port where the usual one is taken, and fails where it was named', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const named = await runCli(['--json', 'serve', '--port', String(port)], { cwd: temporaryFolder() })
    expect(named.code).toBe(4)
    expect(named.stderr).toContain('address_unusable')
    taken.close()
    // One of the two has the usual port, unless somebody else has it.
    const [first, second] = [await startServe({ args: [] }), await startServe({ args: [] })]
    expect(first.port).not.toBe(second.port)
    await Promise.all([first.stop(), second.stop()])
  })

  test('finishes the running turn when it is asked to end, and saves it', async () => {
    const served = await startServe()
    const answer = served.ask<{ status: string; result: string }>('POST', '/message', {
      input: 'sleep 1; echo done',
      taskId: 't',
    })
    await until(
      'the turn',
      async () => (await served.ask<{ status: string }>('GET', '/tasks/t')).body.status === 'running',
    )
    const code = served.stop()
    expect((await answer).body).toMatchObject({ status: 'completed', result: 'done\n' })
    expect(await code).toBe(0)
    const again = await startServe({ cwd: served.cwd })
    expect((await again.ask('GET', '/tasks/t')).body).toMatchObject({ status: 'completed', result: 'done\n' })
    await again.stop()
  })

  test('is read by a client of the standard across a restart, without a gap or a repetition', async () => {
    const served = await startServe()
    const { body: session } = await served.ask<{ id: string }>('POST', '/sessions', { name: 'x' })
    await served.ask('POST', '/message', { input: 'echo 1' })
    const seen: string[] = []
    const source = eventSource(served, `${served.url}/sessions/${session.id}/events`)
    for (const type of [
      'session.created',
      'session.changed',
      'message.accepted',
      'turn.started',
      'tool.started',
      'tool.finished',
      'turn.finished',
    ]) {
      source.addEventListener(type, (event) => seen.push(event.lastEventId))
    }
    await until('the first turn', () => seen.length >= 6)
    await served.stop()
    const again = await startServe({ cwd: served.cwd, args: ['--port', String(served.port)] })
    await again.ask('POST', '/message', { input: 'echo 2' })
    const { body } = await again.ask<{ seq: number }>('GET', `/sessions/${session.id}`)
    await until('the second turn', () => seen.length >= body.seq)
    source.close()
    expect(seen).toEqual(Array.from({ length: body.seq }, (_, index) => String(index + 1)))
    await again.stop()
  })
})

describe('hostile connections', () => {
  // One for all: each test asks it again behind what it sent.
  let served: Served

  beforeAll(async () => {
    served = await startServe()
  })

  afterAll(async () => {
    expect(await served.stop()).toBe(0)
  })

  test.each([
    ['both lengths', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}'],
    ['a header of 20 KB', `X: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['a line end in a header', 'X: a\rb\r\n\r\n'],
  ])('a request with %s is refused', async (_, rest) => {
    const head = `POST /message HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nConnection: close\r\nAuthorization: Bearer ${served.token}\r\nContent-Type: application/json\r\n`
    const answer = await rawRequest(served.port, head + rest)
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(answer).not.toMatch(/\n\s+at /)
    expect((await served.ask('GET', '/agents')).status).toBe(200)
  })

  test('a body without a token is not waited for', async () => {
    const asking = request(`${served.url}/message`, {
      method: 'POST',
      headers: { 'content-length': '1000000' },
    })
    asking.on('error', () => undefined)
    asking.flushHeaders()
    const [response] = (await once(asking, 'response')) as [{ statusCode: number }]
    expect(response.statusCode).toBe(401)
    asking.destroy()
    expect((await served.ask('GET', '/agents')).status).toBe(200)
  })
})

interface Kept {
  keeper: ChildProcessWithoutNullStreams
  /** Where the next server is, once it serves. */
  nextServer: () => Promise<{ url: string; tokenFile: string; pid: number }>
  log: () => string
}

function startKeeper(cwd: string): Kept {
  const keeper = startCli(['--json', 'serve', '--keep', '--port', '0'], { cwd })
  const lines = createInterface(keeper.stdout)[Symbol.asyncIterator]()
  let log = ''
  keeper.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  return {
    keeper,
    async nextServer() {
      const { value } = (await lines.next()) as { value: string }
      return JSON.parse(value) as { url: string; tokenFile: string; pid: number }
    },
    log: () => log,
  }
}

describe('agentry serve --keep', () => {
  test('has a killed server back within 2 s at the same address, with all that was acknowledged', async () => {
    const { keeper, nextServer } = startKeeper(temporaryFolder())
    let server = await nextServer()
    const headers = {
      authorization: `Bearer ${readFileSync(server.tokenFile, 'utf8').trim()}`,
      'content-type': 'application/json',
    }
    for (let turn = 1; turn <= 3; turn++) {
      const body = JSON.stringify({ input: `echo ${turn}`, taskId: `t${turn}` })
      expect((await fetch(`${server.url}/message`, { method: 'POST', headers, body })).status).toBe(200)
      const { pid, url } = server
      const killedMs = performance.now()
      process.kill(pid, 'SIGKILL')
      server = await nextServer()
      expect(performance.now() - killedMs).toBeLessThan(2_000)
      expect(server.url).toBe(url)
      expect(server.pid).not.toBe(pid)
      const task = await fetch(`${server.url}/tasks/t${turn}`, { headers })
      expect(await task.json()).toMatchObject({ status: 'completed', result: `${turn}\n` })
    }
    const exit = once(keeper, 'exit')
    keeper.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
    expect(existsSync(`/proc/${server.pid}`)).toBe(false)
  })

  test('is back after another command had the directory in between', async () => {
    const cwd = temporaryFolder()
    const { keeper, nextServer, log } = startKeeper(cwd)
    const { pid, url } = await nextServer()
    process.kill(pid, 'SIGKILL')
    await until('the end of the server', () => !existsSync(`/proc/${pid}`))
    // Long before the next server has started.
    const owned = await openDirectory({ directory: join(cwd, 'sessions') })
    await until('a refused server', () => log().includes('directory_owned'))
    owned.close()
    expect((await nextServer()).url).toBe(url)
    const exit = once(keeper, 'exit')
    keeper.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends with its server at %s', async (signal) => {
    const { keeper, nextServer } = startKeeper(temporaryFolder())
    const { pid } = await nextServer()
    const exit = once(keeper, 'exit')
    keeper.kill(signal)
    expect((await exit)[0]).toBe(0)
    expect(existsSync(`/proc/${pid}`)).toBe(false)
  })

  test('leaves no server behind when it is killed itself', async () => {
    const cwd = temporaryFolder()
    const { keeper, nextServer } = startKeeper(cwd)
    const { pid } = await nextServer()
    keeper.kill('SIGKILL')
    await until('the end of the server', () => !existsSync(`/proc/${pid}`))
    expect((await runCli(['agents', 'list'], { cwd })).code).toBe(0)
  })

  test('does not insist where the server refuses to start', async () => {
    const served = await startServe()
    const { code, stderr } = await runCli(['--json', 'serve', '--keep', '--port', '0'], { cwd: served.cwd })
    expect(code).toBe(4)
    expect(stderr.match(/directory_owned/g)).toHaveLength(1)
    await served.stop()
  })
})

describe('a second signal', () => {
  test('ends the process at once', async () => {
    const served = await startServe({ args: ['--port', '0', '--grace', '60'] })
    const cut = served.ask('POST', '/message', { input: 'sleep 60', taskId: 't' }).catch(() => 'cut')
    await until(
      'the turn',
      async () => (await served.ask<{ status: string }>('GET', '/tasks/t')).body.status === 'running',
    )
    const end = ended(served.child)
    served.child.kill('SIGTERM')
    await until('the drain', () => served.log().includes('stopping'))
    served.child.kill('SIGINT')
    expect((await end).signal).toBe('SIGKILL')
    expect(await cut).toBe('cut')
  })
})
