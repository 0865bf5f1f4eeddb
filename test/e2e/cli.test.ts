import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SessionState } from '../../src/core/session-state.ts'
import { createTeam } from '../../src/team.ts'
import { ended, runCli, startCli, temporaryFolder } from './built-cli.ts'

describe('the command, one process after another', () => {
  test('keeps directory and variables of a session, in a file that is whole and readable each time', async () => {
    const cwd = realpathSync(temporaryFolder())
    mkdirSync(join(cwd, 'src'))
    const snapshot = (): SessionState => {
      const [file = 'none', ...others] = readdirSync(join(cwd, 'sessions')).filter((name) =>
        name.endsWith('.json'),
      )
      expect(others).toEqual([])
      return JSON.parse(readFileSync(join(cwd, 'sessions', file), 'utf8')) as SessionState
    }

    expect(await runCli(['send', 'ops', 'cd src && export K=1 && pwd'], { cwd })).toEqual({
      code: 0,
      signal: null,
      stdout: `${cwd}/src\n`,
      stderr: '',
    })
    const first = snapshot()
    expect(first).toMatchObject({
      agentId: 'ops',
      workingDir: join(cwd, 'src'),
      vars: { K: '1' },
      turn: null,
      counts: { turns: 1 },
    })
    expect(first.memory[0]).toMatchObject({ role: 'user', content: 'cd src && export K=1 && pwd' })

    expect(await runCli(['send', 'ops', 'pwd; echo $K; exit 3'], { cwd })).toEqual({
      code: 3,
      signal: null,
      stdout: `${cwd}/src\n1\n`,
      stderr: '',
    })
    const second = snapshot()
    expect(second).toMatchObject({ id: first.id, turn: null, counts: { turns: 2 } })
    expect(second.memory.slice(0, first.memory.length)).toEqual(first.memory)
    expect(second.memory.at(-1)).toMatchObject({ role: 'tool', content: `${cwd}/src\n1\n` })
    const shown = await runCli(['sessions', 'show', '--json'], { cwd })
    expect(second).toMatchObject(JSON.parse(shown.stdout) as object)
  })

  test('prints a long output exactly', async () => {
    const { code, stdout } = await runCli(['send', 'ops', 'seq 1 100000'], { cwd: temporaryFolder() })
    expect(code).toBe(0)
    expect(stdout === Array.from({ length: 100_000 }, (_, index) => `${index + 1}\n`).join('')).toBe(true)
  })

  test('takes a long message from the standard input', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'agentry.yaml'), 'agents: [{ id: main, behavior: echo }]\n')
    const message = 'ü'.repeat(250_000)
    const { code, stdout } = await runCli(['send', 'main', '-'], { cwd, stdin: message })
    expect(code).toBe(0)
    expect(stdout === message).toBe(true)
  })

  test('ends quietly where its reader has seen enough', async () => {
    const cwd = temporaryFolder()
    await runCli(['send', 'ops', 'seq 1 100000'], { cwd })
    const child = startCli(['sessions', 'export', 'default'], { cwd })
    child.stdout.once('data', () => child.stdout.destroy())
    const stderr: string[] = []
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()))
    await once(child, 'exit')
    expect(stderr.join('')).toBe('')
  })

  test('keeps what was compiled, where nobody else can write', async () => {
    const cwd = temporaryFolder()
    const home = join(cwd, 'home')
    mkdirSync(home, { mode: 0o700 })
    const run = async (): Promise<string> =>
      (await runCli(['--version'], { cwd, env: { HOME: home, NODE_COMPILE_CACHE: undefined } })).stdout
    const first = await run()
    const cache = join(home, '.cache', 'agentry')
    expect(readdirSync(cache)).not.toEqual([])
    expect(await run()).toBe(first)

    rmSync(cache, { recursive: true })
    chmodSync(home, 0o777)
    expect(await run()).toBe(first)
    expect(readdirSync(cache)).toEqual([])
  })

  test('says in one line that it needs a newer Node', async () => {
    const cwd = temporaryFolder()
    const preload = join(cwd, 'old-node.cjs')
    writeFileSync(
      preload,
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })\n",
    )
    expect(await runCli(['--version'], { cwd, nodeOptions: ['--require', preload] })).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'agentry: expected Node.js 24 or newer, received 20.1.0\n',
    })
  })
})

describe('Ctrl-C', () => {
  test('cancels the running command, ends what it started, and leaves a session that goes on', async () => {
    const cwd = temporaryFolder()
    const child = startCli(['send', 'ops', 'echo $$; exec sleep 300'], { cwd })
    const done = ended(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(() => process.kill(pid, 0)).not.toThrow()
    child.kill('SIGINT')
    const { code, signal, stderr } = await done
    expect({ code, signal }).toEqual({ code: 130, signal: null })
    expect(stderr).toMatch(/^agentry: .* \(cancelled\)\n$/)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')

    expect(await runCli(['send', 'ops', 'echo still here'], { cwd })).toMatchObject({
      code: 0,
      stdout: 'still here\n',
    })
    const shown = await runCli(['sessions', 'show', '--json'], { cwd })
    expect(JSON.parse(shown.stdout)).toMatchObject({
      turn: null,
      tasks: [{ status: 'cancelled' }, { status: 'completed' }],
    })
  })

  test('a second time ends even an agent that hears nothing', async () => {
    const cwd = temporaryFolder()
    const child = startDeaf(cwd)
    const done = ended(child)
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    await expect
      .poll(() => {
        child.kill('SIGINT')
        return child.signalCode
      })
      .toBe('SIGKILL')
    await done
    const listed = await runCli(['sessions', 'list', '--json'], { cwd })
    expect(JSON.parse(listed.stdout)).toMatchObject({ sessions: [{ agentId: 'deaf' }] })
  })
})

describe.each(['SIGTERM', 'SIGHUP'] as const)('%s', (name) => {
  test('ends the running turn as interrupted, with its processes, and keeps what waits in the queue', async () => {
    const cwd = temporaryFolder()
    const slow = 'echo $$; exec sleep 60'
    const team = await createTeam({ data: join(cwd, 'sessions') })
    const ops = await team.spawn({ id: 'ops', behavior: 'shell', workingDir: cwd })
    await ops.post('sleep 60')
    await ops.post(slow, { taskId: 'slow' })
    await ops.post('echo kept > kept', { taskId: 'kept' })
    await team.close({ graceMs: 0 })

    const child = startCli(['send', 'ops', '--task-id', 'slow', slow], { cwd })
    const done = ended(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(() => process.kill(pid, 0)).not.toThrow()
    const signalledMs = performance.now()
    child.kill(name)
    const { code, signal, stderr } = await done
    expect({ code, signal }).toEqual({ code: 7, signal: null })
    expect(performance.now() - signalledMs).toBeLessThan(10_000)
    expect(stderr).toMatch(/^agentry: .* \(interrupted\)\n$/)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')

    const shown = await runCli(['sessions', 'show', '--json'], { cwd })
    expect(JSON.parse(shown.stdout)).toMatchObject({
      turn: null,
      tasks: [{ status: 'interrupted' }, { taskId: 'slow', status: 'interrupted' }],
      queue: [{ taskId: 'kept' }],
    })
    expect(await runCli(['send', 'ops', 'cat kept'], { cwd })).toMatchObject({ code: 0, stdout: 'kept\n' })
  })

  test('a second time ends even an agent that hears nothing', async () => {
    const cwd = temporaryFolder()
    const child = startDeaf(cwd)
    await once(child.stdout, 'data')
    await expect
      .poll(() => {
        child.kill(name)
        return child.signalCode
      })
      .toBe('SIGKILL')
  })
})

/** Sends to an agent that goes on for ever, shortly after its first output. */
function startDeaf(cwd: string): ChildProcessWithoutNullStreams {
  writeFileSync(
    join(cwd, 'deaf.mjs'),
    "export default { run(_, context) { context.emit('deaf'); return new Promise(() => setTimeout(() => { for (;;); }, 200)) } }\n",
  )
  writeFileSync(join(cwd, 'agentry.yaml'), 'agents: [{ id: deaf, behavior: ./deaf.mjs }]\n')
  return startCli(['send', 'deaf', 'hello'], { cwd })
}
