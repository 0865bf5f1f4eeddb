/** Turns of llm agents through the whole stack: threads, files, and a model server that speaks the real protocol. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ModelRequest, Reply } from '../fakes/model-server.ts'
import { until } from '../fakes/until.ts'
import { call, eventsOf, llmTeam, said } from './llm-team.ts'

/** Answers with the n-th reply to the n-th request; the last one stays. */
function script(...replies: Reply[]): (request: ModelRequest, index: number) => Reply {
  return (_, index) => replies[Math.min(index, replies.length - 1)] ?? ''
}

function results({ messages }: ModelRequest): string[] {
  return messages.filter(({ role }) => role === 'tool').map(({ content }) => content)
}

describe('a turn with tools', () => {
  test('reads, writes, edits and runs what the model asks for, and every step is in the session', async () => {
    const { agent, server, workingDir, memory } = await llmTeam(
      script(
        ['I look. ', call('read', { path: 'a.txt' })],
        call('edit', { path: 'a.txt', oldText: 'one', newText: 'two' }),
        call('write', { path: 'b.txt', content: 'fresh\n' }),
        call('shell', { command: 'cat a.txt b.txt; echo $((6 * 7))' }),
        'All done.',
      ),
    )
    writeFileSync(join(workingDir, 'a.txt'), 'one\n')
    const outcome = await agent().send('mend a.txt')
    expect(outcome).toMatchObject({ status: 'completed', result: 'All done.' })
    expect(readFileSync(join(workingDir, 'a.txt'), 'utf8')).toBe('two\n')
    expect(readFileSync(join(workingDir, 'b.txt'), 'utf8')).toBe('fresh\n')
    const last = server.requests.at(-1)
    expect(last && results(last).at(-1)).toContain('two\nfresh\n42')
    expect(server.requests).toHaveLength(5)
    expect(server.refused).toEqual([])
    const steps = said(await memory()).map((line) => line.replace(/^tool: .*$/s, 'tool'))
    expect(steps).toEqual([
      'user: mend a.txt',
      'assistant: I look.  <read>',
      'tool',
      'assistant: <edit>',
      'tool',
      'assistant: <write>',
      'tool',
      'assistant: <shell>',
      'tool',
      'assistant: All done.',
    ])
  })

  test('runs several calls of one step in the order they were asked for, and answers each', async () => {
    const lines = [1, 2, 3].map((line) =>
      call('shell', { command: `sleep 0.0${4 - line}; echo ${line} >> log; cat log` }),
    )
    const { agent, server, workingDir } = await llmTeam(script(lines, 'done'))
    expect(await agent().send('go')).toMatchObject({ status: 'completed' })
    expect(readFileSync(join(workingDir, 'log'), 'utf8')).toBe('1\n2\n3\n')
    const counts =
      server.requests[1] && results(server.requests[1]).map((text) => text.match(/^\d$/gm)?.length)
    expect(counts).toEqual([1, 2, 3])
    expect(server.refused).toEqual([])
  })

  test('shows whoever follows it: text as it comes, calls, steps, and the end', async () => {
    const { agent } = await llmTeam(
      script([{ reasoning: 'hm' }, 'Let me see. ', call('shell', { command: 'echo hello' })], 'Seen.'),
    )
    const events = await eventsOf(agent(), 'look')
    const texts = events.flatMap((event) => (event.type === 'text' ? event.text : [])).join('')
    expect(texts).toMatch(/^Let me see\. hello\n\s*Seen\.$/)
    expect(events.flatMap((event) => (event.type === 'reasoning' ? event.text : [])).join('')).toBe('hm')
    expect(events.map(({ type }) => type).filter((type) => type !== 'text' && type !== 'reasoning')).toEqual([
      'turn-started',
      'step-finished',
      'tool-started',
      'tool-finished',
      'step-finished',
      'turn-finished',
    ])
  })

  test('tells the model what it did wrong, and goes on: no such tool, unfit input, broken input', async () => {
    const { agent, server, memory } = await llmTeam(
      script(
        [
          call('teleport', { to: 'mars' }),
          call('read', { file: 1 }),
          { toolCall: { name: 'read', arguments: '{"path": "a' } },
        ],
        'Sorry.',
      ),
      { coder: { tools: ['read', 'list'] } },
    )
    expect(await agent().send('go')).toMatchObject({ status: 'completed', result: 'Sorry.' })
    const [unknown, unfit, broken] = server.requests[1] ? results(server.requests[1]) : []
    expect(unknown).toBe('there is no tool "teleport"; there are: read, list')
    expect(unfit).toMatch(/path/)
    expect(broken).toMatch(/JSON|object/)
    expect((await memory()).filter(({ role }) => role === 'tool').map(({ outcome }) => outcome)).toEqual([
      'error',
      'error',
      'error',
    ])
    expect(server.refused).toEqual([])
  })

  test('does not run what the rules deny, and asks a person about the rest', async () => {
    const { agent, team, server, workingDir } = await llmTeam(
      script(
        [
          call('shell', { command: 'touch denied' }),
          call('shell', { command: 'touch asked' }),
          call('write', { path: 'allowed', content: 'x' }),
        ],
        'done',
      ),
      { coder: { permissions: { write: 'allow', shell: { deny: ['touch denied'], default: 'ask' } } } },
    )
    const turn = agent().send('go')
    const [question] = await until('a question', () => team.approvals().length > 0 && team.approvals())
    expect(question).toMatchObject({ tool: 'shell', subject: 'touch asked' })
    expect(existsSync(join(workingDir, 'asked'))).toBe(false)
    await team.answerApproval(question?.approvalId ?? '', { decision: 'deny', reason: 'not today' })
    expect(await turn).toMatchObject({ status: 'completed' })
    const [denied, refused, written] = server.requests[1] ? results(server.requests[1]) : []
    expect(denied).toMatch(/^not allowed: /)
    expect(refused).toBe('not allowed by a person: not today')
    expect(written).not.toContain('not allowed')
    expect(['denied', 'asked', 'allowed'].filter((name) => existsSync(join(workingDir, name)))).toEqual([
      'allowed',
    ])
  })

  test('sends the instructions with vars of the session filled in', async () => {
    const { agent, server } = await llmTeam(script('ok'), {
      coder: { role: 'Writes code', instructions: 'You write {{LANG}} for {{unknown}}.' },
    })
    await agent().createSession({ name: 'work', vars: { LANG: 'Go' } })
    await agent().send('hello')
    expect(server.requests[0]?.system).toMatch(
      /^You write Go for \{\{unknown}}\.\n\nYou are the agent coder \(Writes code\)/,
    )
  })
})

describe('a message in mode steer', () => {
  test('is taken in between two steps of the running turn, and both senders get its outcome', async () => {
    const gate = Promise.withResolvers<void>()
    const { agent, server, memory } = await llmTeam((_, index) =>
      index === 0 ? [{ gate: gate.promise }, call('shell', { command: 'echo one' })] : 'both done',
    )
    const first = agent().send('begin')
    await until('the first request', () => server.requests.length === 1)
    await agent().post('and hurry', { mode: 'steer', taskId: 'second' })
    const second = agent().send('and hurry', { mode: 'steer', taskId: 'second' })
    gate.resolve()
    const [one, two] = await Promise.all([first, second])
    expect([one.status, one.result]).toEqual(['completed', 'both done'])
    expect([two.status, two.result]).toEqual(['completed', 'both done'])
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'user',
    ])
    expect(said(await memory())).toEqual([
      'user: begin',
      'assistant: <shell>',
      expect.stringContaining('one'),
      'user: and hurry',
      'assistant: both done',
    ])
    expect(server.refused).toEqual([])
  })

  test('that comes during the last answer is answered too, in the same turn', async () => {
    const gate = Promise.withResolvers<void>()
    const { agent, server } = await llmTeam((_, index) =>
      index === 0 ? ['first answer', { gate: gate.promise }] : 'second answer',
    )
    const first = agent().send('begin')
    await until('the first request', () => server.requests.length === 1)
    await agent().post('one more', { mode: 'steer', taskId: 'second' })
    const second = agent().send('one more', { mode: 'steer', taskId: 'second' })
    gate.resolve()
    expect(await first).toMatchObject({ status: 'completed', result: 'second answer' })
    expect(await second).toMatchObject({ status: 'completed', result: 'second answer' })
  })
})

describe('a turn that is cancelled', () => {
  test('closes the request to the model, and the next message goes on', async () => {
    const { agent, server, memory } = await llmTeam((_, index) =>
      index === 0 ? ['Half an ans', { fault: 'hang' }] : 'whole',
    )
    const turn = agent().send('begin')
    await until('the request', () => server.requests.length === 1)
    expect(await agent().cancel()).toBe(true)
    expect(await turn).toMatchObject({ status: 'cancelled' })
    expect(await server.requests[0]?.ended).toBe('closed')
    expect(await agent().send('again')).toMatchObject({ status: 'completed', result: 'whole' })
    expect(said(await memory())).toEqual(['user: begin', 'user: again', 'assistant: whole'])
    expect(server.refused).toEqual([])
  })

  test('ends the command that runs, and what that started', async () => {
    const { agent, server, workingDir } = await llmTeam((_, index) =>
      index === 0 ? call('shell', { command: '(echo $$ > pid; exec sleep 300) & sleep 300' }) : 'whole',
    )
    const turn = agent().send('begin')
    const pid = await until('the command runs', () => {
      const file = join(workingDir, 'pid')
      return existsSync(file) && readFileSync(file, 'utf8').trim() !== '' && readFileSync(file, 'utf8').trim()
    })
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    await agent().cancel()
    expect(await turn).toMatchObject({ status: 'cancelled' })
    await until('no process is left', () => !existsSync(`/proc/${pid}`))
    expect(await agent().send('again')).toMatchObject({ status: 'completed', result: 'whole' })
    expect(server.requests[1] && results(server.requests[1])).toHaveLength(1)
    expect(server.refused).toEqual([])
  })
})
