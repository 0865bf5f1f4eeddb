import { closeSync, fdatasyncSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { isStepCount, streamText, tool } from 'ai'
import { z } from 'zod'
import type { Agent } from '../../src/api.ts'
import { type Bench, pairedRow, plainRow, type Row } from '../harness/bench.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeEach } from '../harness/rounds.ts'
import { ask, serveAgentry, serveModel } from '../harness/served.ts'
import { median, percentile } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'

const ROUNDS = 9
const TURNS = 60
const TOOL_TURNS = 6
const CALLS = 20
const AGENTS = 16
const PIECES = 250
const STREAM_ROUNDS = 3
/** About a record. */
const RECORD = `${'x'.repeat(300)}\n`

export const models: Bench = {
  name: 'models',
  title:
    'Turns of `llm` agents against a model that answers at once, in a process of its own, over chat completions. Raw: `streamText` of the AI SDK against the same server; for tools its own loop with the same tool, and a write with fdatasync wherever a record has to be durable before the turn goes on. Each turn is the first of its session, as each raw request has no history. The lag of a stream is from the moment the server sends a piece to the moment a reader of the agent has it; pieces are merged to about 30 updates a second.',
  notMeasured: 'real models, whose answers take seconds; long conversations; other providers.',
  run: async () =>
    withDirectory(async (directory) => [
      ...(await text(directory)),
      ...(await tools(directory)),
      await streams(directory),
    ]),
}

async function text(directory: string): Promise<Row[]> {
  await using server = await serveModel()
  writeFileSync(
    join(directory, 'agentry.yaml'),
    `providers: { fake: { type: openai-compatible, baseURL: '${server.url}' } }\nagents: [{ id: model, behavior: llm, model: fake/m, tools: [] }]\n`,
  )
  await using served = await serveAgentry(join(directory, 'served'))
  const body = JSON.stringify({ input: 'hello' })
  const turn = async (): Promise<void> => {
    const answer = await ask(`${served.url}/agents/model/message`, { method: 'POST', body })
    if (!answer.includes('"result":"ok"')) throw new Error(`expected ok, received ${answer}`)
  }
  const newSession = (): Promise<string> =>
    ask(`${served.url}/agents/model/sessions`, { method: 'POST', body: '{"name":"round"}' })
  const pairs = await measurePairs(
    ROUNDS,
    async () => median(await timeEach(TURNS, turn, newSession)),
    async () => median(await timeEach(TURNS, () => rawText(server.url, 'hello'))),
  )
  const samples = `${ROUNDS} rounds of ${TURNS} turns`
  return [
    pairedRow('turn of one text step, durable, over HTTP', 'ms', pairs, samples, { most: 2 }),
    plainRow(
      'what Agentry adds to it',
      'ms',
      pairs.map(({ subject, baseline }) => subject - baseline),
      samples,
      15,
    ),
  ]
}

async function tools(directory: string): Promise<Row[]> {
  await using server = await serveModel()
  await using team = await library.createTeam({
    data: join(directory, 'tools'),
    providers: { fake: { type: 'openai-compatible', baseURL: server.url } },
  })
  const agent = await team.spawn({
    id: 'model',
    behavior: 'llm',
    model: 'fake/m',
    tools: [fileURLToPath(new URL('../behaviors/noop-tool.ts', import.meta.url))],
    permissions: { noop: 'allow' },
  })
  const input = `tools ${CALLS}`
  const turn = async (): Promise<void> => {
    const { result } = await agent.send(input)
    if (result !== 'done') throw new Error(`expected done, received ${result}`)
  }
  const file = openSync(join(directory, 'raw'), 'a')
  const pairs = await measurePairs(
    ROUNDS,
    async () => median(await timeEach(TOOL_TURNS, turn, () => agent.createSession({ name: 'round' }))),
    async () => median(await timeEach(TOOL_TURNS, () => rawTools(server.url, input, file))),
  )
  closeSync(file)
  return [
    pairedRow(`turn of ${CALLS} tool calls`, 'ms', pairs, `${ROUNDS} rounds of ${TOOL_TURNS} turns`, {
      most: 1.5,
    }),
  ]
}

async function streams(directory: string): Promise<Row> {
  await using server = await serveModel()
  await using team = await library.createTeam({
    data: join(directory, 'streams'),
    providers: { fake: { type: 'openai-compatible', baseURL: server.url } },
  })
  const agents = await Promise.all(
    Array.from({ length: AGENTS }, (_, index) =>
      team.spawn({ id: `model-${index}`, behavior: 'llm', model: 'fake/m', tools: [] }),
    ),
  )
  const lags: number[] = []
  for (let round = 0; round <= STREAM_ROUNDS; round += 1) {
    const ofRound = await Promise.all(agents.map(lagOf))
    if (round > 0) lags.push(...ofRound) // The first is thrown away: code that is not compiled yet.
  }
  const what = `${AGENTS} agents that stream at once: lag of a piece, p95 of each agent`
  return plainRow(
    what,
    'ms',
    lags,
    `${STREAM_ROUNDS} rounds of ${PIECES} pieces of each agent, 50 a second`,
    100,
  )
}

/** p95 of the times from a piece's sending by the model's server to its arrival at a reader of the agent, ms. */
async function lagOf(agent: Agent): Promise<number> {
  const lags: number[] = []
  for await (const event of agent.stream(`stream ${PIECES}`)) {
    if (event.type !== 'text') continue
    const now = Date.now()
    for (const time of event.text.match(/\d{13}/g) ?? []) lags.push(now - Number(time))
  }
  return percentile(
    lags.toSorted((a, b) => a - b),
    0.95,
  )
}

async function rawText(baseURL: string, prompt: string): Promise<void> {
  const { text: answer } = streamText({ model: modelOf(baseURL), prompt, maxRetries: 0 })
  if ((await answer) !== 'ok') throw new Error('expected ok')
}

/** Durable where it has to be: the start of the turn, each step, each start and end of a call, the end. */
async function rawTools(baseURL: string, prompt: string, file: number): Promise<void> {
  const sync = (): void => {
    writeSync(file, RECORD)
    fdatasyncSync(file)
  }
  sync()
  const { text: answer } = streamText({
    model: modelOf(baseURL),
    prompt,
    maxRetries: 0,
    stopWhen: isStepCount(CALLS + 5),
    tools: {
      noop: tool({
        description: 'Gives back what it is given.',
        inputSchema: z.strictObject({ value: z.number() }),
        execute: async ({ value }) => {
          sync()
          const result = String(value)
          sync()
          return result
        },
      }),
    },
    onStepEnd: sync,
  })
  if ((await answer) !== 'done') throw new Error('expected done')
  sync()
}

function modelOf(baseURL: string): ReturnType<ReturnType<typeof createOpenAICompatible>> {
  return createOpenAICompatible({ name: 'fake', baseURL, includeUsage: true })('m')
}
