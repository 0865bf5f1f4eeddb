import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AgentSpecInput, createTeam, type TeamOptions } from '../src/index.ts'

const OPS = { id: 'ops', behavior: 'echo' }
const REVIEWER = { id: 'reviewer', behavior: 'echo' }

describe('the configured agents of a team', () => {
  let data: string

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'agentry-team-'))
  })
  afterEach(async () => {
    await rm(data, { recursive: true, force: true })
  })

  async function statesWith(agents: TeamOptions['agents']): Promise<Record<string, string>> {
    await using team = await createTeam({ data, host: 'in-process', ...(agents && { agents }) })
    return Object.fromEntries(team.agents().map(({ id, state }) => [id, state]))
  }

  it('are kept, stopped, when they are taken out of the configuration, and start again when they are back', async () => {
    expect(await statesWith([OPS, REVIEWER])).toEqual({ ops: 'hibernated', reviewer: 'hibernated' })
    expect(await statesWith([OPS])).toEqual({ ops: 'hibernated', reviewer: 'stopped' })
    expect(await statesWith([OPS, REVIEWER])).toEqual({ ops: 'hibernated', reviewer: 'hibernated' })
  })

  it('stay stopped when they were stopped by hand', async () => {
    {
      await using team = await createTeam({ data, host: 'in-process', agents: [OPS] })
      await team.agent('ops')?.stop()
    }
    expect(await statesWith([OPS])).toEqual({ ops: 'stopped' })
  })

  it('leave spawned agents alone', async () => {
    {
      await using team = await createTeam({ data, host: 'in-process' })
      await team.spawn(REVIEWER)
    }
    expect(await statesWith([OPS])).toEqual({ reviewer: 'hibernated', ops: 'hibernated' })
    expect(await statesWith(undefined)).toEqual({ reviewer: 'hibernated', ops: 'hibernated' })
  })

  it('have the spec of the configuration, whatever is registered', async () => {
    await statesWith([OPS])
    await using team = await createTeam({
      data,
      host: 'in-process',
      agents: [{ ...OPS, role: 'Runs things' }],
    })
    expect(team.agent('ops')?.info().role).toBe('Runs things')
  })
})

describe('an agent that asks models', () => {
  const CODER: AgentSpecInput = {
    id: 'coder',
    behavior: 'llm',
    model: 'mine/large',
    permissions: { write: 'ask', shell: { deny: ['rm *'], default: 'allow' } },
    mcpServers: { tracker: { type: 'http', url: 'http://127.0.0.1:9/mcp' } },
    limits: { maxCostUsd: 1, memoryMb: 256 },
  }
  const providers = { mine: { type: 'openai', apiKeyEnv: 'MINE_KEY' } } as const
  let data: string

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'agentry-team-'))
  })
  afterEach(async () => {
    await rm(data, { recursive: true, force: true })
  })

  it('is the same after a restart: registered whole, and spawned again as itself', async () => {
    const spec = await (async () => {
      await using team = await createTeam({ data, host: 'in-process', providers })
      return (await team.spawn(CODER)).info().spec
    })()
    await using team = await createTeam({ data, host: 'in-process', providers })
    expect(team.agent('coder')?.info().spec).toEqual(spec)
    expect(spec.llm?.permissions).toEqual(CODER.permissions)
    await expect(team.spawn(CODER)).resolves.toMatchObject({ id: 'coder' })
    await expect(team.spawn(spec)).resolves.toMatchObject({ id: 'coder' })
    await expect(team.spawn({ ...CODER, temperature: 1 })).rejects.toMatchObject({ code: 'agent_exists' })
  })

  it('may ask the providers of its own team only', async () => {
    await using team = await createTeam({ data, host: 'in-process' })
    await expect(team.spawn(CODER)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/^model: expected a provider of the team/) as string,
    })
    expect(team.agents()).toEqual([])
  })
})

describe('the options of a team', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown key', { agnets: [] }, /agnets: unknown key.*agents/],
    ['a mode of fsync that there is not', { fsync: 'never' }, /fsync/],
    [
      'retention in the words of the configuration file',
      { retention: { maxAge: '30d' } },
      /retention.maxAge: unknown key/,
    ],
    ['a data directory that is no text', { data: 5 }, /data/],
    ['a limit that there is not', { limits: { thread: 1 } }, /thread: unknown key.*threads/],
    ['a provider with a key in it', { providers: { p: { type: 'openai', apiKey: 'k' } } }, /apiKeyEnv/],
    ['a price of no model', { prices: { x: { input: 1, output: 1 } } }, /prices.x: expected provider/],
    ['an agent without a behavior', { agents: [{ id: 'a' }] }, /behavior/],
  ])('are refused by name: %s', async (_what, options, message) => {
    await expect(createTeam(options as TeamOptions)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message) as string,
    })
  })
})
