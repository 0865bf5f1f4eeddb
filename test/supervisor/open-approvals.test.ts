/** Which questions to people a team lists, and which of them take an answer. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Agent, ApprovalInfo, Team } from '../../src/api.ts'
import { errorWith } from '../error-with.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

interface Stopped {
  team: Team
  agent: Agent
  asked: ApprovalInfo
  file: string
}

/** Agent `a` was stopped while it asked a person. */
async function stoppedWithQuestion(timeoutMs = 600_000): Promise<Stopped> {
  const team = await openTeam({ host: 'in-process' })
  const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('relay') })
  const file = join(temporaryDirectory(), 'log')
  await agent.post(JSON.stringify({ approve: { file, line: 'x', timeoutMs } }))
  const asked = await until('a question', () => team.approvals()[0])
  await agent.stop()
  return { team, agent, asked, file }
}

/** The session holds it, whoever lists it. */
const isHeld = ({ team, asked }: Stopped): boolean =>
  team.session(asked.sessionId)?.approvals[0]?.approvalId === asked.approvalId

describe('a question is not listed and takes no answer', () => {
  test('while its session is not current; it is back when that is loaded', async () => {
    const stopped = await stoppedWithQuestion()
    const { team, agent, asked } = stopped
    await agent.createSession({ name: 'other' })
    expect(isHeld(stopped)).toBe(true)
    expect(team.approvals()).toEqual([])
    await expect(team.answerApproval(asked.approvalId, { decision: 'once' })).rejects.toThrow(
      errorWith('approval_not_found'),
    )
    await agent.loadSession(asked.sessionId)
    expect(team.approvals()).toEqual([asked])
  })

  test('once its time is over, also where its agent is stopped and cannot deny it', async () => {
    const stopped = await stoppedWithQuestion(3_000)
    const { team, agent, asked, file } = stopped
    await until('its time is over', () => team.approvals().length === 0)
    expect(isHeld(stopped)).toBe(true)
    await expect(team.answerApproval(asked.approvalId, { decision: 'once' })).rejects.toThrow(
      errorWith('approval_not_found'),
    )
    await agent.start()
    await until('it is denied', () => !isHeld(stopped))
    expect(existsSync(file)).toBe(false)
  })

  test('once its agent is removed', async () => {
    const stopped = await stoppedWithQuestion()
    const { team, asked } = stopped
    expect(team.approvals()).toEqual([asked])
    await team.removeAgent('a')
    expect(isHeld(stopped)).toBe(true)
    expect(team.approvals()).toEqual([])
    await team.spawn({ id: 'a', behavior: fakeBehavior('relay') })
    expect(team.approvals()).toEqual([asked])
  })
})

test('an id that cannot be that of a question is refused by what was expected', async () => {
  const team = await openTeam({ host: 'in-process' })
  await expect(team.answerApproval('nonsense', { decision: 'once' })).rejects.toThrow(
    errorWith('invalid_id', 'expected an approvalId (a UUIDv7 in lower case), received "nonsense"'),
  )
})
