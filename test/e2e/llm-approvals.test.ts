/** The question of an llm agent to a person, end to end: asked before a restart, answered after it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ApprovalInfo } from '../../src/api.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { startModelServer } from '../fakes/model-server.ts'
import { until } from '../fakes/until.ts'
import { noTerminalHere } from '../terminal/terminal.ts'
import { temporaryFolder } from './built-cli.ts'
import { type Served, startServe } from './built-serve.ts'
import { enter, newFolder, ownerOf, startedIn } from './dashboard/open-dashboard.ts'

/** A key that comes sooner after a question has appeared was meant for something else. */
const GUARD_MS = 600

const COMMAND = 'echo shipped >> log'

/** A configuration with an agent whose model wants to run COMMAND, and says what came of it. */
async function configure(folder: string): Promise<void> {
  const server = await startModelServer({
    reply: ({ messages }) => {
      const last = messages.at(-1)
      if (last?.role !== 'tool') return { toolCall: { name: 'shell', input: { command: COMMAND } } }
      return last.content.includes('not allowed') ? `refused: ${last.content}` : 'it is shipped'
    },
  })
  onTestFinished(() => server.close())
  mkdirSync(join(folder, 'work'))
  const config = {
    providers: { fake: { type: 'openai-compatible', baseURL: server.openaiURL } },
    agents: [{ id: 'coder', behavior: 'llm', model: 'fake/m', tools: ['shell'], workingDir: './work' }],
  }
  writeFileSync(join(folder, 'agentry.yaml'), JSON.stringify(config))
}

function logOf(folder: string): string {
  const file = join(folder, 'work', 'log')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

describe('over HTTP', () => {
  async function openQuestion(served: Served): Promise<ApprovalInfo> {
    return until('the question', async () => {
      const { body } = await served.ask<{ approvals: ApprovalInfo[] }>('GET', '/approvals')
      return body.approvals[0]
    })
  }

  async function outcomeOf(served: Served, taskId: string): Promise<Outcome> {
    return until('the end of the turn', async () => {
      const { body } = await served.ask<Outcome>('GET', `/tasks/${taskId}`)
      return body.status === 'completed' && body
    })
  }

  async function post(served: Served, taskId: string): Promise<void> {
    const response = await fetch(`${served.url}/agents/coder/message`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${served.token}`,
        'content-type': 'application/json',
        prefer: 'respond-async',
      },
      body: JSON.stringify({ input: 'ship it', taskId }),
    })
    expect(response.status).toBe(202)
  }

  test.each([
    ['ended in good order', 'SIGTERM'],
    ['killed', 'SIGKILL'],
  ] as const)(
    'a supervisor that was %s asks again when it is back, and goes on with the answer',
    async (_, signal) => {
      const cwd = temporaryFolder()
      await configure(cwd)
      const first = await startServe({ cwd, logLevel: 'warn' })
      await post(first, 'ship-1')
      const asked = await openQuestion(first)
      expect(asked).toMatchObject({ agentId: 'coder', tool: 'shell', subject: COMMAND })
      const exited = once(first.child, 'exit')
      first.child.kill(signal)
      await exited

      const second = await startServe({ cwd, logLevel: 'warn' })
      onTestFinished(async () => void (await second.stop()))
      expect(await openQuestion(second)).toEqual(asked)
      expect(logOf(cwd)).toBe('')
      const answer = await second.ask<ApprovalInfo>('POST', `/approvals/${asked.approvalId}`, {
        decision: 'once',
      })
      expect(answer).toMatchObject({ status: 200, body: { approvalId: asked.approvalId } })
      expect((await outcomeOf(second, 'ship-1')).result).toBe('it is shipped')
      expect(logOf(cwd)).toBe('shipped\n')
      const again = await second.ask('POST', `/approvals/${asked.approvalId}`, { decision: 'once' })
      expect(again).toMatchObject({ status: 404, body: { code: 'approval_not_found' } })
    },
  )

  test('a no with a reason is what the model reads', async () => {
    const cwd = temporaryFolder()
    await configure(cwd)
    const served = await startServe({ cwd, logLevel: 'warn' })
    onTestFinished(async () => void (await served.stop()))
    await post(served, 'ship-1')
    const { approvalId } = await openQuestion(served)
    await served.ask('POST', `/approvals/${approvalId}`, { decision: 'deny', reason: 'not on a Friday' })
    expect((await outcomeOf(served, 'ship-1')).result).toBe(
      'refused: not allowed by a person: not on a Friday',
    )
    expect(logOf(cwd)).toBe('')
  })
})

const reason = noTerminalHere()
describe.skipIf(reason !== undefined)('on the dashboard', () => {
  test('the question is there again after a restart, and one key answers it', async () => {
    const folder = newFolder()
    await configure(folder)
    const terminal = await startedIn({ folder, columns: 100, rows: 30 })
    enter(terminal, 'ship it')
    await terminal.waitFor(COMMAND)
    await terminal.waitFor('once')
    enter(terminal, '/quit')
    expect(await terminal.exited).toEqual({ code: 0 })
    expect(ownerOf(folder)).toBeUndefined()
    expect(logOf(folder)).toBe('')

    const again = await startedIn({ folder, columns: 100, rows: 30 })
    await again.waitFor(COMMAND)
    await sleep(GUARD_MS)
    again.press('y')
    await again.waitFor('it is shipped')
    expect(logOf(folder)).toBe('shipped\n')
  })
})
