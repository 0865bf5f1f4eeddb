import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../src/core/clock.ts'
import { AgentryError } from '../../../src/errors.ts'
import { StdioTransport } from '../../../src/runtime/mcp/stdio-transport.ts'
import { Reaper } from '../../../src/runtime/processes/reaper.ts'
import { errorWith } from '../../error-with.ts'
import { temporaryDirectory } from '../../fakes/temporary-directory.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'
import { isRunning, numbersIn, processesWith, until, untilGone } from '../processes/processes.ts'
import { call, callWith, installed, rogue, stdio } from './calls.ts'
import { open, seenFile } from './servers.ts'

const everything = stdio(installed('server-everything'), ['stdio'])

describe('a server from npm, as a process', () => {
  test('offers its tools under its own name, with their schemas', async () => {
    const tools = await open({ every: everything }).tools()
    const sum = tools.find(({ name }) => name === 'every__get-sum')
    expect(sum?.description).toMatch(/sum/i)
    expect(sum?.inputSchema).toMatchObject({ type: 'object', required: ['a', 'b'] })
    expect(tools.every(({ name }) => /^every__[A-Za-z0-9_-]{1,57}$/.test(name))).toBe(true)
    expect(tools.every(({ readOnly }) => !readOnly)).toBe(true)
  })

  test('answers calls: text, images named, structured content, an error as one', async () => {
    const servers = open({ every: everything })
    const tools = await servers.tools()
    expect(await call(tools, 'every__get-sum', { a: 2, b: 40 })).toMatchObject({
      content: expect.stringContaining('42') as string,
      outcome: 'ok',
    })
    const image = await call(tools, 'every__get-tiny-image')
    expect(image.content).toMatch(/\[image: image\/png, \d+ bytes, not shown\]/)
    expect(image.content.length).toBeLessThan(500)
    const weather = await call(tools, 'every__get-structured-content', { location: 'New York' })
    expect(weather.content).toContain('temperature')
    expect(await call(tools, 'every__get-sum', { a: 'two' })).toMatchObject({ outcome: 'error' })
  })

  test('is given no variable of the supervisor but the listed ones, and those that it is to have', async () => {
    const environment = { PATH: process.env['PATH'], MY_API_KEY: 'k-1', GITHUB_TOKEN: 'g-1', LANG: 'C' }
    const spec = { ...everything, env: { MODE: 'test' }, envFrom: ['GITHUB_TOKEN'] }
    const servers = open({ every: spec }, { environment })
    const { content } = await call(await servers.tools(), 'every__get-env')
    expect(content).not.toContain('k-1')
    expect(JSON.parse(content)).toMatchObject({ GITHUB_TOKEN: 'g-1', MODE: 'test', LANG: 'C' })
  })

  test('works on files below the directory that it was given', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'a.txt'), 'inside')
    const files = stdio(installed('server-filesystem'), [directory])
    const tools = await open({ files }).tools()
    const read = await call(tools, 'files__read_text_file', { path: join(directory, 'a.txt') })
    expect(read.content).toContain('inside')
    expect(await call(tools, 'files__read_text_file', { path: '/etc/hostname' })).toMatchObject({
      outcome: 'error',
    })
  })
})

describe('a call', () => {
  test('shows what the server reports on the way', async () => {
    const shown: string[] = []
    const tools = await open({ r: rogue('tools') }).tools()
    const result = await callWith(tools, 'r__progress', {}, { emit: (text) => shown.push(text) })
    expect(result.content).toBe('done')
    expect(shown).toEqual(['half way\n'])
  })

  test('that is cancelled ends at once with the reason, tells the server, and leaves it running', async () => {
    const seen = seenFile()
    const tools = await open({ r: rogue('tools', { env: { SEEN: seen.path } }) }).tools()
    const cancel = new AbortController()
    const calling = call(tools, 'r__hang', {}, cancel.signal)
    await until(() => seen.lines().includes('hang'), 'the call')
    cancel.abort(new AgentryError('cancelled', 'by a person'))
    await expect(calling).rejects.toThrow(errorWith('cancelled', 'by a person'))
    await until(() => seen.lines().some((line) => line.startsWith('cancelled: ')), 'the cancellation')
    expect((await call(tools, 'r__echo', { text: 'still here' })).content).toContain('still here')
    expect(seen.lines().filter((line) => line.startsWith('start'))).toHaveLength(1)
  })

  test('without an answer in time is cancelled, and its outcome called unknown', async () => {
    const seen = seenFile()
    const tools = await open({ r: rogue('tools', { env: { SEEN: seen.path } }) }, { callMs: 300 }).tools()
    await expect(call(tools, 'r__hang')).rejects.toThrow(
      errorWith('outcome_unknown', /within 300 ms.*unknown/),
    )
    await until(() => seen.lines().some((line) => line.startsWith('cancelled: ')), 'the cancellation')
  })

  test('of a server that dies is not repeated, its outcome is unknown, and the server starts again', async () => {
    const seen = seenFile()
    const servers = open({ r: rogue('tools', { env: { SEEN: seen.path } }) })
    const tools = await servers.tools()
    await expect(call(tools, 'r__die')).rejects.toThrow(errorWith('outcome_unknown', /unknown.*SIGKILL/))
    expect(servers.failures().get('r')).toContain('SIGKILL')
    expect((await call(tools, 'r__echo', { text: 'back' })).content).toContain('back')
    expect(seen.lines().filter((line) => line === 'call die')).toHaveLength(1)
    expect(servers.failures().size).toBe(0)
  })

  test('that the server refuses, or answers with what is no result, fails and leaves it running', async () => {
    const seen = seenFile()
    const servers = open({ r: rogue('tools', { env: { SEEN: seen.path } }) })
    const tools = await servers.tools()
    await call(tools, 'r__grow')
    await expect(call(tools, 'r__unreadable')).rejects.toThrow(errorWith('outcome_unknown', 'Invalid result'))
    expect((await call(tools, 'r__echo')).outcome).toBe('ok')
    expect(seen.lines().filter((line) => line.startsWith('start'))).toHaveLength(1)
  })

  test('takes nothing but an object', async () => {
    const tools = await open({ r: rogue('tools') }).tools()
    await expect(call(tools, 'r__echo', [1])).rejects.toThrow(
      errorWith('invalid_input', 'expected an object'),
    )
  })
})

describe('the list of tools', () => {
  test('is read to its last page', async () => {
    const tools = await open({ r: rogue('pages') }).tools()
    expect(tools.map(({ name }) => name)).toContain('r__progress')
    expect(tools).toHaveLength(12)
  })

  test('that has no last page fails the server', async () => {
    const servers = open({ r: rogue('endless-pages') })
    expect(await servers.tools()).toEqual([])
    expect(servers.failures().get('r')).toContain('more than 64 pages')
  })

  test('is read again once the server says that it has changed', async () => {
    const seen = seenFile()
    const servers = open({ r: rogue('tools', { env: { SEEN: seen.path } }) })
    await call(await servers.tools(), 'r__grow')
    const names = (await servers.tools()).map(({ name }) => name)
    expect(names).toContain('r__grown')
    await servers.tools()
    expect(seen.lines().filter((line) => line === 'list')).toHaveLength(2)
  })
})

describe('a server that misbehaves', () => {
  test('is named with its reason and stops no other', async () => {
    const servers = open({
      gone: stdio('-', [], { command: 'no-such-program-at-all', args: [] }),
      ends: rogue('exit'),
      deaf: rogue('deaf', { startMs: 700 }),
      secret: rogue('tools', { envFrom: ['NOT_SET'] }),
      token: rogue('tools', { envFrom: ['AGENTRY_TOKEN'] }),
      fine: rogue('chatty'),
    })
    const tools = await servers.tools()
    expect(new Set(tools.map(({ name }) => name.split('__')[0]))).toEqual(new Set(['fine']))
    const failures = Object.fromEntries(servers.failures())
    expect(failures).toEqual({
      gone: expect.stringMatching(/127.*not found/) as string,
      ends: 'it exited with code 3; the last it said: no [31mlicence[0m found',
      deaf: 'it did not start within 700 ms',
      secret: 'envFrom names the variable NOT_SET, which is not set in the environment',
      token: expect.stringContaining('the token of the gateway') as string,
    })
    expect(servers.notes).toHaveLength(5)
    expect(servers.notes.join('\n')).toContain('the MCP server ends could not be started: it exited')
  })

  test('is noted in bounded space, whatever it says', async () => {
    const servers = open({ no: rogue('refuse'), long: rogue('named') })
    const tools = await servers.tools()
    expect(tools.map(({ name }) => name)).toContain('long__echo')
    expect(servers.notes.toSorted()).toEqual([
      expect.stringMatching(
        /^of the MCP server long 1 tools are left out: n+…: a name of more than 1024/,
      ) as string,
      expect.stringMatching(/^the MCP server no could not be started: begin no no/) as string,
    ])
    for (const text of [...servers.notes, ...servers.failures().values()]) {
      expect(text.length).toBeLessThan(17_000)
    }
  })

  test('is not tried again before its pause is over, nor noted again', async () => {
    const seen = seenFile()
    const servers = open({ r: rogue('exit', { env: { SEEN: seen.path } }) })
    await servers.tools()
    await servers.tools()
    expect(seen.lines()).toHaveLength(1)
    expect(servers.notes).toHaveLength(1)
  })

  test('is tried again after pauses that double, at the next use', async () => {
    const seen = seenFile()
    const clock = new SimulatedClock()
    const spec = rogue('exit', { env: { SEEN: seen.path } })
    const servers = open({ r: spec }, { clock, random: () => 0 })
    const starts: number[] = []
    for (const ms of [0, 999, 1, 1_999, 1]) {
      clock.advance(ms)
      await servers.tools()
      starts.push(seen.lines().length)
    }
    expect(starts).toEqual([1, 1, 2, 2, 3])
  })

  test.each([
    ['garbage', /more than 1000 messages or lines in a second/],
    ['long-line', /more than 8388608 bytes/],
    ['no-messages', /more than 1000 messages or lines in a second/],
  ])('by %s without end is ended', async (mode, why) => {
    const seen = seenFile()
    const servers = open({ r: rogue(mode, { env: { SEEN: seen.path } }) })
    expect(await servers.tools()).toEqual([])
    expect(servers.failures().get('r')).toMatch(why)
    await untilGone(...numbersIn(seen.lines()[0] ?? ''))
  })

  test('by leaving its input unread is ended, and is gone before it is started again', async () => {
    const tools = await open({ r: rogue('stubborn') }).tools()
    const [first = 0] = numbersIn((await call(tools, 'r__echo')).content)
    await call(tools, 'r__numb')
    const unread = expect(call(tools, 'r__echo', { text: 'x'.repeat(17 * 1024 * 1024) })).rejects.toThrow(
      errorWith('outcome_unknown', /unknown/),
    )
    await expect(call(tools, 'r__echo')).rejects.toThrow(errorWith('outcome_unknown', /of its input unread/))
    const [second] = numbersIn((await call(tools, 'r__echo')).content)
    expect(isRunning(first)).toBe(false)
    expect(second).not.toBe(first)
    await unread
  })

  test('is told to be gone, and killed, also where its end cannot be watched', async () => {
    const tools = await open({ r: rogue('tools') }).tools()
    const [, away = 0] = numbersIn((await call(tools, 'r__spawn')).content)
    const kill = process.kill.bind(process)
    const spy = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      if (signal !== 'SIGTERM') return kill(pid, signal)
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    })
    onTestFinished(() => spy.mockRestore())
    await expect(call(tools, 'r__die')).rejects.toThrow(errorWith('outcome_unknown', /unknown.*SIGKILL/))
    expect(spy).toHaveBeenCalledWith(expect.any(Number), 'SIGTERM')
    await untilGone(away)
    spy.mockRestore()
    expect((await call(tools, 'r__echo', { text: 'back' })).content).toContain('back')
  })

  test('by a flood of notifications is ended, and the call with it', async () => {
    const tools = await open({ r: rogue('tools') }).tools()
    await expect(call(tools, 'r__flood')).rejects.toThrow(
      errorWith('outcome_unknown', /1000 messages or lines in a second/),
    )
  })
})

test('a turn that is cancelled does not wait for servers that start; they go on starting', async () => {
  const seen = seenFile()
  const servers = open({ r: rogue('tools', { env: { SEEN: seen.path } }) })
  const cancel = new AbortController()
  const asking = servers.tools(cancel.signal)
  cancel.abort(new AgentryError('cancelled', 'by a person'))
  await expect(asking).rejects.toThrow(errorWith('cancelled'))
  expect((await servers.tools()).length).toBeGreaterThan(0)
  expect(seen.lines().filter((line) => line.startsWith('start'))).toHaveLength(1)
})

describe('closing', () => {
  test('ends a server with all that it started, also what left its group', async () => {
    const servers = open({ r: rogue('tools') })
    const tools = await servers.tools()
    const pids = numbersIn((await call(tools, 'r__spawn')).content)
    const [server = 0] = numbersIn((await call(tools, 'r__echo')).content)
    expect([server, ...pids].map((pid) => isRunning(pid))).toEqual([true, true, true])
    await servers.close()
    await untilGone(server, ...pids)
    expect(await servers.tools()).toEqual([])
    await expect(call(tools, 'r__echo')).rejects.toThrow(
      errorWith('tool_failed', 'r is not running: it was closed'),
    )
  })

  test('kills a server that is deaf to SIGTERM', async () => {
    const servers = open({ r: rogue('stubborn') }, { graceMs: 100 })
    const [server = 0] = numbersIn((await call(await servers.tools(), 'r__echo')).content)
    await servers.close()
    expect(isRunning(server)).toBe(false)
  })

  test('while servers start ends the starts', async () => {
    const seen = seenFile()
    const servers = open({ r: rogue('deaf', { env: { SEEN: seen.path } }) })
    const starting = servers.tools()
    await until(() => seen.lines().length > 0, 'the start')
    await servers.close()
    expect(await starting).toEqual([])
    await untilGone(...numbersIn(seen.lines()[0] ?? ''))
  })

  test('while the process is being started leaves nothing of it', async () => {
    const mark = `mark-${process.pid}-${performance.now()}`
    const reaper = new Reaper()
    onTestFinished(() => reaper.close())
    const transport = new StdioTransport({
      command: 'sleep',
      args: ['600'],
      workingDir: '/',
      environment: new Map([
        ['PATH', process.env['PATH'] ?? ''],
        ['MARK', mark],
      ]),
      reaper,
      clock: systemClock,
      graceMs: 100,
    })
    const starting = transport.start()
    expect(processesWith(`MARK=${mark}`)).toHaveLength(1)
    await transport.close()
    await starting
    expect(processesWith(`MARK=${mark}`)).toEqual([])
  })

  test('is not needed: the kill -9 of their owner ends servers and what is in their group', async () => {
    const owner = spawn(process.execPath, [fileURLToPath(new URL('owner-main.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const printed: unknown = await once(owner.stdout, 'data')
    const [server = 0, inGroup = 0, away = 0] = numbersIn(String(printed))
    // What left the group is nobody's by then.
    onTestFinished(() => void process.kill(away))
    expect([server, inGroup].map((pid) => isRunning(pid))).toEqual([true, true])
    owner.kill('SIGKILL')
    await untilGone(server, inGroup)
  })
})
