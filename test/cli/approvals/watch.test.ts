import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type PutQuestion, type QuestionWatch, watchQuestions } from '../../../src/cli/approvals/watch.ts'
import { AgentryError } from '../../../src/errors.ts'
import { approvalOf } from '../../fakes/approval.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'
import { createFakeTeam, type FakeTeam } from '../../fakes/team.ts'

interface Watched {
  fake: FakeTeam
  watch: QuestionWatch
  /** The subjects of what was put, in order. */
  put: string[]
  /** Of what was put and is not needed any more. */
  withdrawn: string[]
  faults: string[]
  /** Thrown by the next call, once; looks go on failing until it is taken back. */
  broken: { look?: Error; answer?: Error }
  /** Lets the time pass, and what it brings happen. */
  pass: (ms: number) => Promise<void>
}

/** What holds up `ops` is put to `answer`. */
function watching(answer: PutQuestion): Watched {
  const fake = createFakeTeam('ops')
  const clock = new SimulatedClock()
  const put: string[] = []
  const withdrawn: string[] = []
  const faults: string[] = []
  const broken: Watched['broken'] = {}
  const watch = watchQuestions({
    agentId: 'ops',
    clock,
    team: {
      sessions: () => [],
      approvals() {
        if (broken.look) throw broken.look
        return fake.team.approvals()
      },
      async answerApproval(...given) {
        const { answer: error } = broken
        delete broken.answer
        if (error) throw error
        return fake.team.answerApproval(...given)
      },
    },
    async put(approval, signal) {
      put.push(approval.subject)
      signal.addEventListener('abort', () => withdrawn.push(approval.subject))
      return answer(approval, signal)
    },
    onFault: (message) => faults.push(message),
  })
  onTestFinished(async () => watch.close())
  return {
    fake,
    watch,
    put,
    withdrawn,
    faults,
    broken,
    pass: async (ms) => {
      clock.advance(ms)
      await nextTick()
    },
  }
}

const full = new AgentryError('storage_full', 'the disk is full')
const away = new AgentryError('gateway_unreachable', 'nobody is there')

describe('a question whose answer', () => {
  test('does not get through is put again, and counts as answered only once one does', async () => {
    const { fake, watch, put, faults, broken, pass } = watching(async () => 'once')
    const approval = approvalOf({ subject: 'a' })
    fake.approvals.push(approval)
    broken.answer = full
    await pass(500)
    expect({ put, faults }).toEqual({
      put: ['a'],
      faults: [`cannot answer question ${approval.approvalId}: the disk is full`],
    })
    expect(watch.hasAnswered(approval.approvalId)).toBe(false)
    await pass(500)
    expect(put).toEqual(['a', 'a'])
    expect(fake.answers).toEqual([{ approvalId: approval.approvalId, decision: 'once' }])
    expect(watch.hasAnswered(approval.approvalId)).toBe(true)
    await pass(500)
    expect(put).toHaveLength(2)
  })

  test('came too late is no fault, and is not put again', async () => {
    const { fake, watch, put, faults, broken, pass } = watching(async () => 'once')
    const approval = approvalOf()
    fake.approvals.push(approval)
    broken.answer = new AgentryError('approval_not_found', 'it was answered')
    for (let looks = 0; looks < 3; looks++) await pass(500)
    expect({ put: put.length, faults }).toEqual({ put: 1, faults: [] })
    expect(watch.hasAnswered(approval.approvalId)).toBe(false)
  })

  test('is given elsewhere is put once', async () => {
    const { fake, put, pass } = watching(async () => undefined)
    fake.approvals.push(approvalOf())
    for (let looks = 0; looks < 3; looks++) await pass(500)
    expect(put).toHaveLength(1)
  })
})

describe('looking that fails', () => {
  test('is said once and tried again, ever more rarely, until it works; then often again', async () => {
    const { fake, put, faults, broken, pass } = watching(async () => 'once')
    fake.approvals.push(approvalOf({ subject: 'a' }))
    broken.look = away
    // At 500, 1,000, 2,000, 4,000 and 8,000 ms; the last of these waits for 5 s more.
    for (let half = 0; half < 16; half++) await pass(500)
    expect(faults).toEqual(['cannot look for questions to answer: nobody is there'])
    delete broken.look
    await pass(4_500)
    expect(put).toEqual([])
    await pass(500)
    expect(put).toEqual(['a'])
    fake.approvals.push(approvalOf({ subject: 'b' }))
    await pass(500)
    expect(put).toEqual(['a', 'b'])
    broken.look = away
    await pass(500)
    expect(faults).toHaveLength(2)
  })

  test('withdraws nothing; what was answered meanwhile is withdrawn when it works again', async () => {
    const { fake, put, withdrawn, broken, pass } = watching(
      async (_, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined))),
    )
    fake.approvals.push(approvalOf({ subject: 'a' }))
    await pass(500)
    broken.look = away
    await pass(500)
    expect({ put, withdrawn }).toEqual({ put: ['a'], withdrawn: [] })
    delete broken.look
    fake.approvals.length = 0
    await pass(500)
    expect(withdrawn).toEqual(['a'])
  })
})
