import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { bareEnvironment } from '../fakes/bare-environment.ts'
import { until } from '../fakes/until.ts'
import { FRONT_VARIABLE } from '../../src/cli/serve-options.ts'
import { readOwner } from '../../src/store/owner-file.ts'
import { BIN, ended, runCli, startCli, temporaryFolder } from './built-cli.ts'

const MAIN = fileURLToPath(new URL('../fakes/front-main.ts', import.meta.url))

interface Said {
  type: string
  text?: string
  url?: string
  owned?: boolean
}

interface FrontProcess {
  child: ChildProcess
  said: Said[]
  stderr: Promise<string>
  /** Waits for the connection number `count`. */
  connected(count?: number): Promise<Said>
  do(line: string): void
  ended: Promise<number | null>
}

const children: ChildProcess[] = []
const owners: number[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const pid of owners) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
})

function startFront(cwd: string, ...argv: string[]): FrontProcess {
  const child = spawn(process.execPath, [MAIN, BIN, ...argv], { cwd, env: bareEnvironment() })
  children.push(child)
  const said: Said[] = []
  createInterface(child.stdout).on('line', (line) => said.push(JSON.parse(line) as Said))
  return {
    child,
    said,
    stderr: text(child.stderr),
    connected: async (count = 1) =>
      until('a connection', () => said.filter(({ type }) => type === 'connected')[count - 1]),
    do: (line) => child.stdin.write(`${line}\n`),
    ended: once(child, 'exit').then(([code]) => code as number | null),
  }
}

const data = (cwd: string): string => join(cwd, 'sessions')
const logOf = (cwd: string): string => join(data(cwd), '.agentry/supervisor.log')

/** The process that owns the directory. */
function isServed(cwd: string): boolean {
  return readOwner(data(cwd))?.url !== undefined
}

function ownerOf(cwd: string): number {
  const { pid } = JSON.parse(readFileSync(join(data(cwd), '.agentry/owner.json'), 'utf8')) as { pid: number }
  owners.push(pid)
  return pid
}

/** The process that started `pid`. */
function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/status`, 'utf8').includes('State:\tZ')
}

async function gone(pid: number): Promise<void> {
  await until(`the end of ${pid}`, () => !isAlive(pid))
}

/** What only a supervisor that ended in good order leaves. */
function endedWell(cwd: string): boolean {
  return !existsSync(join(data(cwd), '.agentry/owner.json'))
}

describe('agentry at a terminal', () => {
  test('starts a supervisor of its own, and ends it in good order with a turn that runs', async () => {
    const cwd = temporaryFolder()
    const front = startFront(cwd, '--port', '0')
    expect(await front.connected()).toMatchObject({ owned: true })
    const server = ownerOf(cwd)
    const turn = runCli(['send', 'ops', 'echo begun > begun; sleep 1; echo done'], { cwd })
    await until('the turn', () => existsSync(join(cwd, 'begun')))
    front.do('quit')
    expect(await front.ended).toBe(0)
    expect(await turn).toMatchObject({ code: 0, stdout: 'done\n' })
    expect({ alive: isAlive(server), well: endedWell(cwd) }).toEqual({ alive: false, well: true })
    expect(statSync(logOf(cwd)).mode & 0o777).toBe(0o600)
    expect(readFileSync(logOf(cwd), 'utf8')).toContain('"msg":"stopped"')
  })

  test('is back at the same address when the server is killed, and says so', async () => {
    const cwd = temporaryFolder()
    const front = startFront(cwd, '--port', '0')
    const { url } = await front.connected()
    process.kill(ownerOf(cwd), 'SIGKILL')
    expect((await front.connected(2)).url).toBe(url)
    const notices = front.said.flatMap(({ type, text: said }) => (type === 'notice' ? [said] : []))
    expect(notices).toEqual([
      'the server ended (killed) and is started again',
      `the supervisor is back at ${url}`,
    ])
    front.do('quit')
    expect(await front.ended).toBe(0)
  })

  test('starts another keeper when that is killed', async () => {
    const cwd = temporaryFolder()
    const front = startFront(cwd, '--port', '0')
    await front.connected()
    const server = ownerOf(cwd)
    process.kill(parentOf(server), 'SIGKILL')
    await gone(server)
    await front.connected(2)
    expect(ownerOf(cwd)).not.toBe(server)
    expect(front.said).toContainEqual({
      type: 'notice',
      kind: 'error',
      text: 'the supervisor ended and is started again',
    })
    front.do('quit')
    expect(await front.ended).toBe(0)
  })

  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves nothing running at %s, and nothing unsaved',
    async (signal) => {
      const cwd = temporaryFolder()
      const front = startFront(cwd, '--port', '0')
      await front.connected()
      const server = ownerOf(cwd)
      const keeper = parentOf(server)
      front.child.kill(signal)
      expect(await front.ended).toBe(signal === 'SIGKILL' ? null : 0)
      await gone(server)
      await gone(keeper)
      expect(endedWell(cwd)).toBe(true)
    },
  )

  test('leaves the supervisor when it is released, which is kept from then on too', async () => {
    const cwd = temporaryFolder()
    const front = startFront(cwd, '--port', '0')
    await front.connected()
    front.do('detach')
    expect(await front.ended).toBe(0)
    expect(await front.stderr).toContain('agentry attach')
    const server = ownerOf(cwd)
    const keeper = parentOf(server)
    process.kill(server, 'SIGKILL')
    await gone(server)
    // It owns the directory before it serves.
    await until('the next server', () => ownerOf(cwd) !== server && isAlive(ownerOf(cwd)) && isServed(cwd))
    const attached = startFront(cwd, 'attach')
    expect(await attached.connected()).toMatchObject({ owned: false })
    attached.do('quit')
    expect(await attached.ended).toBe(0)
    expect(isAlive(keeper)).toBe(true)
    process.kill(keeper, 'SIGTERM')
    await gone(keeper)
    expect(endedWell(cwd)).toBe(true)
  })

  test('is one supervisor where two begin at once', async () => {
    const cwd = temporaryFolder()
    const fronts = [startFront(cwd, '--port', '0'), startFront(cwd, '--port', '0')]
    const connections = await Promise.all(fronts.map(async (front) => front.connected()))
    expect(connections[0]?.url).toBe(connections[1]?.url)
    expect(connections.filter(({ owned }) => owned)).toHaveLength(1)
    const [joined, owner] = connections[0]?.owned ? fronts.toReversed() : fronts
    joined?.do('quit')
    expect(await joined?.ended).toBe(0)
    expect(isAlive(ownerOf(cwd))).toBe(true)
    owner?.do('quit')
    expect(await owner?.ended).toBe(0)
  })

  test.each([
    ['a data directory that is a file', ['--data', 'file'], 6, 'directory_invalid'],
    ['an address beyond the machine', ['--host', '0.0.0.0'], 2, 'insecure_bind'],
    ['a configuration that is not there', ['--config', 'none.yaml'], 2, 'invalid_config'],
  ])('reports %s as `serve` does', async (_, args, code, error) => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'file'), '')
    const front = startFront(cwd, ...args)
    expect(await front.ended).toBe(code)
    const served = await runCli(['serve', ...args], { cwd })
    expect(served.code).toBe(code)
    expect(await front.stderr).toContain(`(${error})`)
    expect(await front.stderr).toContain(
      served.stderr.split('\n').find((line) => line.startsWith('agentry: ')),
    )
  })

  test('begins a new log where the last one has grown large', async () => {
    const cwd = temporaryFolder()
    const first = startFront(cwd, '--port', '0')
    await first.connected()
    first.do('quit')
    await first.ended
    truncateSync(logOf(cwd), 10 * 1024 * 1024 + 1)
    const second = startFront(cwd, '--port', '0')
    await second.connected()
    second.do('quit')
    await second.ended
    expect(statSync(`${logOf(cwd)}.1`).size).toBe(10 * 1024 * 1024 + 1)
    expect(statSync(logOf(cwd)).size).toBeLessThan(100_000)
  })
})

describe('a keeper', () => {
  test.each([
    [
      'loads nothing of the server that it starts',
      {},
      /node_modules\/(@?hono|pino|ink|react|piscina|msgpackr)|gateway\/(app|serve)\.js|src\/team\.js/,
    ],
    ['loads no packages where a dashboard has started it', { [FRONT_VARIABLE]: '1' }, /node_modules\//],
  ])('%s', async (_, env, heavy) => {
    const hooks = `import { registerHooks } from 'node:module'
      registerHooks({ resolve(name, context, next) {
        const found = next(name, context)
        process.stderr.write('loads ' + process.pid + ' ' + found.url + '\\n')
        return found
      } })`
    const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`]
    const argv = ['serve', '--host', '0.0.0.0', '--keep']
    const keeper = startCli(argv, { cwd: temporaryFolder(), nodeOptions, env })
    const { code, stderr } = await ended(keeper)
    expect(code).toBe(2)
    const loads = [...stderr.matchAll(/^loads (\d+) (.*)$/gm)]
    const of = (isKeeper: boolean): string[] =>
      loads.filter(([, pid]) => (Number(pid) === keeper.pid) === isKeeper).map(([, , url = '']) => url)
    expect(of(false).filter((url) => heavy.test(url))).not.toEqual([])
    expect(of(true).some((url) => url.endsWith('src/cli/keep.js'))).toBe(true)
    expect(of(true).filter((url) => heavy.test(url))).toEqual([])
  })
})

describe('agentry attach', () => {
  test('says that nobody serves the directory', async () => {
    const front = startFront(temporaryFolder(), 'attach')
    expect(await front.ended).toBe(5)
    expect(await front.stderr).toContain('(gateway_unreachable)')
  })
})
