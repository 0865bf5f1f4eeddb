import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Reaper } from '../../../src/runtime/processes/reaper.ts'
import { createShellTool } from '../../../src/runtime/tools/shell.ts'
import type { Tool } from '../../../src/runtime/tools/tool.ts'
import { errorWith } from '../../error-with.ts'
import { isRunning, numbersIn, scratchDirectory, untilGone } from '../processes/processes.ts'
import { type FakeToolContext, toolContext, use } from './tool-context.ts'

function shell(outputBytes = 64 * 1024): { tool: Tool; context: FakeToolContext } {
  const reaper = new Reaper()
  onTestFinished(() => reaper.close())
  return {
    tool: createShellTool({ reaper, outputBytes, graceMs: 100 }),
    context: toolContext(scratchDirectory()),
  }
}

test('runs in the working directory with the vars of the session, and emits the output as it comes', async () => {
  const { tool, context } = shell()
  context.vars['MINE'] = 'yes'
  const result = await use(tool, { command: 'pwd; echo "$MINE $AGENTRY_AGENT"' }, context)
  expect(result).toEqual({ content: `${context.workingDir}\nyes coder\n`, exitCode: 0 })
  expect(context.emitted.join('')).toBe(result.content)
})

test('tells an exit code, and that there was no output', async () => {
  const { tool, context } = shell()
  expect(await use(tool, { command: 'printf out; exit 3' }, context)).toEqual({
    content: 'out\n[exit code 3]',
    exitCode: 3,
  })
  expect((await use(tool, { command: 'true' }, context)).content).toBe('[no output]')
  expect((await use(tool, { command: 'false' }, context)).content).toBe('[exit code 1]')
})

test('cd and export end with the command', async () => {
  const { tool, context } = shell()
  mkdirSync(join(context.workingDir, 'd'))
  await use(tool, { command: 'cd d && export K=1' }, context)
  const { content } = await use(tool, { command: 'pwd; echo "${K-unset}"' }, context)
  expect(content).toBe(`${context.workingDir}\nunset\n`)
})

test('cuts output in the middle, and marks it', async () => {
  const { tool, context } = shell(2_000)
  const { content } = await use(
    tool,
    { command: 'echo start; yes | head -c 100000000; echo end; exit 1' },
    context,
  )
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2_000)
  expect(content).toMatch(/^start\ny[^]*\[… \d+ bytes cut …\][^]*\nend\n\[exit code 1\]$/)
})

/** Children, grandchildren, one that left the group, and one orphaned by a double fork. */
const FAMILY = `sleep 1000 & echo $!
sh -c 'sleep 1000 & echo $!; wait' &
setsid sh -c 'echo $$; sleep 1000' &
(setsid sh -c 'sleep 1000 & echo $!' &)
sleep 0.3; echo ready; wait; sleep 1000`

test('the time limit ends all that was started, and the output until then is the result', async () => {
  const { tool, context } = shell()
  const result = await use(tool, { command: FAMILY, timeoutMs: 1_000 }, context)
  expect(result.outcome).toBe('error')
  expect(result.content).toMatch(/ready\n\[ended after 1000 ms, its time limit\]$/)
  const pids = numbersIn(result.content.split('ready')[0] ?? '')
  expect(pids).toHaveLength(4)
  await untilGone(...pids)
})

test('a cancel ends all that was started, and is the reason that it fails with', async () => {
  const { tool, context } = shell()
  const abort = new AbortController()
  const reason = new Error('cancelled by the test')
  const emit = (text: string) => {
    context.emitted.push(text)
    if (text.includes('ready')) abort.abort(reason)
  }
  await expect(use(tool, { command: FAMILY }, { ...context, signal: abort.signal, emit })).rejects.toBe(
    reason,
  )
  const pids = numbersIn(context.emitted.join(''))
  expect(pids).toHaveLength(4)
  await untilGone(...pids)
})

test('what a command leaves in a session of its own is ended with it, and nothing of another command', async () => {
  const { tool, context } = shell()
  const other = use(tool, { command: 'sleep 1; echo whole' }, context)
  const { content } = await use(
    tool,
    { command: "setsid -f sh -c 'echo $$; exec sleep 1000'; sleep 0.3; echo ready" },
    context,
  )
  expect(content).toMatch(/^\d+\nready\n$/)
  expect(numbersIn(content).filter((pid) => isRunning(pid))).toEqual([])
  expect((await other).content).toBe('whole\n')
})

test('hides the environment of the supervisor', async () => {
  process.env['AGENTRY_TEST_KEY'] = 'a-secret'
  onTestFinished(() => void delete process.env['AGENTRY_TEST_KEY'])
  const { tool, context } = shell()
  expect((await use(tool, { command: 'env' }, context)).content).not.toContain('a-secret')
})

test('refuses what no command can be', async () => {
  const { tool, context } = shell()
  expect(() => tool.parse({ command: 'a\0b' })).toThrow(errorWith('invalid_input', 'NUL'))
  expect(() => tool.parse({ command: 'a', timeoutMs: 1e9 })).toThrow(errorWith('invalid_input', 'timeoutMs'))
  const gone = { ...context, workingDir: join(context.workingDir, 'gone') }
  await expect(use(tool, { command: 'true' }, gone)).rejects.toThrow(errorWith('working_dir_missing'))
})

test('is judged by its command line', () => {
  const { tool, context } = shell()
  expect(tool.subject?.(tool.parse({ command: 'git status' }), context)).toEqual({
    kind: 'command',
    text: 'git status',
  })
})
