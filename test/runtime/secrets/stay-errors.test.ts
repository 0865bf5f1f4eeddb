/** What an agent's own code throws at its start, or lets escape, reaches nobody with a secret in it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Team, TeamEvent } from '../../../src/api.ts'
import { AgentryError } from '../../../src/errors.ts'
import { redactThreadError } from '../../../src/runtime/secrets/redact-error.ts'
import { createRedactor } from '../../../src/runtime/secrets/redactor.ts'
import { fakeBehavior, openTeam } from '../../fakes/open-team.ts'
import { until } from '../../fakes/until.ts'

const SECRET = 'sk-thrown-around-987654'
const MARK = '[redacted:LEAKY_API_KEY]'

beforeEach(() => {
  process.env['LEAKY_API_KEY'] = SECRET
})

afterEach(() => {
  delete process.env['LEAKY_API_KEY']
})

function eventsOf(team: Team): TeamEvent[] {
  const events: TeamEvent[] = []
  void (async () => {
    for await (const event of team.events()) events.push(event)
  })()
  return events
}

function lastErrorOf(team: Team, agentId: string): string | undefined {
  return team.agents().find(({ id }) => id === agentId)?.lastError?.message
}

describe.each(['threads', 'in-process'] as const)('with the host %s', (host) => {
  test('an error at the start of an agent is told without it', async () => {
    const team = await openTeam({ host })
    const events = eventsOf(team)
    const behavior = fakeBehavior('leaks-at-load')
    const started = team.spawn({ id: 'leaky', behavior, restart: { type: 'temporary' } })
    await expect(started).rejects.toThrow(`no login with ${MARK}`)
    await until('the end is told', () => JSON.stringify(events).includes(MARK))
    expect(JSON.stringify([events, team.agents(), team.health()])).not.toContain(SECRET)
  })
})

test.each(['throw-later', 'reject'])('an error that escapes by %s is told without it', async (word) => {
  const team = await openTeam()
  const agent = await team.spawn({
    id: 'rogue',
    behavior: fakeBehavior('rogue'),
    restart: { type: 'temporary' },
  })
  await expect(agent.send(`${word} ${SECRET}`)).rejects.toBeInstanceOf(AgentryError)
  await until('its end is known', () => lastErrorOf(team, 'rogue'))
  expect(lastErrorOf(team, 'rogue')).toContain(MARK)
  expect(JSON.stringify(team.agents())).not.toContain(SECRET)
})

test('message, stack and code of an error are all looked through', () => {
  const { redact } = createRedactor([{ name: 'LEAKY_API_KEY', value: SECRET }])
  const text = `at ${SECRET}`
  expect(redactThreadError({ message: text, stack: text, code: text }, { redact })).toEqual({
    message: `at ${MARK}`,
    stack: `at ${MARK}`,
    code: `at ${MARK}`,
  })
  expect(redactThreadError({ message: 'plain' }, { redact })).toEqual({ message: 'plain' })
})
