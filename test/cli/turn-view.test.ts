import { describe, expect, test } from 'vitest'
import type { CliIo } from '../../src/cli/io.ts'
import { createEventLines, createTurnView } from '../../src/cli/turn-view.ts'
import { noUsage } from '../../src/core/usage.ts'
import type { Outcome, TurnEvent } from '../../src/protocol/from-agent.ts'
import { approvalOf } from '../fakes/approval.ts'
import { createTextSink } from './text-sink.ts'

const OUTCOME: Outcome = {
  status: 'completed',
  result: '',
  turnId: 't',
  taskId: 't',
  agentId: 'coder',
  sessionId: 's',
}

const USAGE = {
  ...noUsage(),
  steps: 3,
  inputTokens: 12_340,
  cachedInputTokens: 10_000,
  outputTokens: 512,
  costUsd: 0.03124,
}

interface Shown {
  stdout: string
  stderr: string
}

interface ShowOptions {
  behavior?: string
  isQuiet?: boolean
  /** Of both streams. */
  isTTY?: boolean
}

function ioOf(stdout: CliIo['stdout'], stderr: CliIo['stderr']): CliIo {
  return { stdout, stderr, env: { NO_COLOR: '1' } } as unknown as CliIo
}

function show(events: readonly TurnEvent[], end: Partial<Outcome>, options: ShowOptions = {}): Shown {
  const { behavior = 'llm', isQuiet = false, isTTY = false } = options
  const stdout = createTextSink(isTTY)
  const stderr = createTextSink(isTTY)
  const view = createTurnView({ io: ioOf(stdout, stderr), behavior, isQuiet })
  for (const event of events) view.show(event)
  view.finish({ ...OUTCOME, ...end })
  return { stdout: stdout.text(), stderr: stderr.text() }
}

/** On one terminal: what a person sees. */
function screen(events: readonly TurnEvent[], end: Partial<Outcome>, options: ShowOptions = {}): string {
  const sink = createTextSink(true)
  const { behavior = 'llm', isQuiet = false } = options
  const view = createTurnView({ io: ioOf(sink, sink), behavior, isQuiet })
  for (const event of events) view.show(event)
  view.finish({ ...OUTCOME, ...end })
  return sink.text()
}

const text = (words: string): TurnEvent => ({ type: 'text', text: words })
const step = (toolCalls: number): TurnEvent => ({ type: 'step-finished', toolCalls })
const READ: TurnEvent[] = [
  { type: 'tool-started', toolCallId: 'c1', name: 'read', input: { path: 'src/a.ts' } },
  { type: 'tool-finished', toolCallId: 'c1', outcome: 'ok' },
]
const RETRY: TurnEvent = {
  type: 'retry',
  model: 'local/m',
  attempt: 1,
  delayMs: 1_500,
  reason: 'the provider answers 503',
}

describe('a turn of a model, to a pipe', () => {
  test('has the answer alone on stdout; what was said and done before it is on stderr', () => {
    const { stdout, stderr } = show(
      [text('Let me '), text('look.'), step(1), ...READ, text('It is '), text('42.'), step(0)],
      { result: 'It is 42.' },
    )
    expect(stdout).toBe('It is 42.')
    expect(stderr).toBe('Let me look.\n→ read src/a.ts\n')
  })

  test('has nothing twice where a request is made again', () => {
    const { stdout, stderr } = show([text('It is 4'), RETRY, text('It is 42.'), step(0)], {
      result: 'It is 42.',
    })
    expect(stdout).toBe('It is 42.')
    expect(stderr).toBe('↻ local/m: the provider answers 503: try 2 in 2 s\n')
  })

  test('has nothing on stdout where it fails', () => {
    const error = { code: 'model_failed' as const, message: 'no answer' }
    expect(show([text('It is')], { status: 'failed', result: 'no answer', error }).stdout).toBe('')
  })

  test('tells of nothing but the answer where it shall be quiet', () => {
    const events = [text('Let me look.'), step(1), ...READ, text('42'), step(0)]
    expect(show(events, { result: '42', usage: USAGE }, { isQuiet: true })).toEqual({
      stdout: '42',
      stderr: '',
    })
  })
})

describe('a turn on a terminal', () => {
  test('is streamed, every line of its own', () => {
    const shown = screen(
      [
        { type: 'reasoning', text: 'hm, ' },
        { type: 'reasoning', text: 'a file' },
        text('Let me look.'),
        step(1),
        ...READ,
        text('It is 42.'),
        step(0),
      ],
      { result: 'It is 42.', usage: USAGE },
    )
    expect(shown).toBe(
      'hm, a file\nLet me look.\n→ read src/a.ts\nIt is 42.\n3 steps · 12k tokens in (10k cached) · 512 out · $0.0312\n',
    )
  })

  test('begins its text again where a request is made again, and ends with all of it once', () => {
    expect(screen([text('It is 4'), RETRY, text('It is 42.'), step(0)], { result: 'It is 42.' })).toBe(
      'It is 4\n↻ local/m: the provider answers 503: try 2 in 2 s\nIt is 42.\n',
    )
  })

  test('says how calls ended that did not go well, and what else happened', () => {
    const approval = approvalOf()
    const shown = screen(
      [
        {
          type: 'tool-started',
          toolCallId: 'c1',
          name: 'shell',
          input: { command: 'npm test', timeoutMs: 5 },
        },
        { type: 'tool-finished', toolCallId: 'c1', outcome: 'ok', exitCode: 2 },
        { type: 'tool-started', toolCallId: 'c2', name: 'note', input: {} },
        { type: 'tool-finished', toolCallId: 'c2', outcome: 'unknown' },
        { type: 'agent-asked', toolCallId: 'c3', agentId: 'reviewer' },
        { type: 'approval-asked', approval },
        {
          type: 'approval-answered',
          approvalId: approval.approvalId,
          toolCallId: 'call-1',
          decision: 'deny',
          by: 'timeout',
        },
        { type: 'tool-finished', toolCallId: 'call-1', outcome: 'error' },
        { type: 'steered', turnId: 't2', input: 'faster' },
        { type: 'compacted', throughSeq: 9 },
        { ...RETRY, fallback: 'local/n' },
      ],
      { result: '' },
    )
    expect(shown.split('\n')).toEqual([
      '→ shell {"command":"npm test","timeoutMs":5}',
      '← shell: exit code 2',
      '→ note',
      '← note: outcome unknown',
      '… waits for reviewer',
      '· shell npm publish: denied: nobody answered in time',
      '+ taken in: faster',
      '… the older conversation is summed up from here on',
      '↻ local/m: the provider answers 503: local/n is asked instead',
      '',
    ])
  })

  test('carries no control sequence from models and tools', () => {
    const hostile = 'a\u001b]52;c;aGk=\u0007\u001b[2Jb'
    const shown = screen(
      [
        { type: 'reasoning', text: hostile },
        { type: 'tool-started', toolCallId: 'c1', name: hostile, input: hostile },
        { ...RETRY, reason: hostile, model: hostile, fallback: hostile },
        { type: 'steered', turnId: 't2', input: hostile },
      ],
      { result: hostile },
    )
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  })
})

describe('a turn of a shell agent', () => {
  test('is its output alone: its one call is the message', () => {
    const shell: TurnEvent[] = [
      { type: 'tool-started', toolCallId: 'c1', name: 'shell', input: { command: 'ls' } },
      text('a\n'),
      { type: 'tool-finished', toolCallId: 'c1', outcome: 'ok', exitCode: 1 },
    ]
    expect(show(shell, { result: 'a\n', exitCode: 1 }, { behavior: 'shell' })).toEqual({
      stdout: 'a\n',
      stderr: '',
    })
  })
})

describe('the events of a turn', () => {
  test('are lines of JSON that do nothing to a terminal, the outcome last', () => {
    const stdout = createTextSink()
    const view = createEventLines(ioOf(stdout, createTextSink()))
    view.show(text('a\n  b\u009b2J'))
    view.show(step(1))
    view.finish({ ...OUTCOME, result: 'x' })
    const lines = stdout.text().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      text('a\n  b\u009b2J'),
      step(1),
      { type: 'turn-finished', outcome: { ...OUTCOME, result: 'x' } },
    ])
    expect(stdout.text()).not.toContain('\u009b')
  })
})
