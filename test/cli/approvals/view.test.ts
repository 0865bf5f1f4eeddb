import { describe, expect, test } from 'vitest'
import { approvalList, decisionText, questionText } from '../../../src/cli/approvals/view.ts'
import { approvalOf } from '../../fakes/approval.ts'

describe('a question', () => {
  test('says who asks for what, why, and what a yes for the session would allow', () => {
    expect(questionText(approvalOf({ askedBy: { agentId: 'lead', turnId: 't', depth: 1 } }))).toBe(
      [
        'ops (asked by lead) asks for shell: npm publish',
        '  why      no rule allows it',
        '  always   would allow shell: npm * for the rest of the session',
      ].join('\n'),
    )
    expect(questionText(approvalOf({ tool: 'fetch', subject: '', grant: { tool: 'fetch' } }))).toContain(
      'ops asks for fetch\n',
    )
    expect(questionText(approvalOf({ grant: { tool: 'fetch' } }))).toContain(
      'allow fetch, whatever it is given, for',
    )
  })

  test('shows what else the call was given, apart from what is said about it', () => {
    const text = questionText(
      approvalOf({ tool: 'write', subject: '/a.txt', detail: 'content:\n  why      x\n' }),
    )
    expect(text).toContain(
      'write: /a.txt\n  with     content:\n    |   why      x\n  why      no rule allows it\n',
    )
  })

  test('is shown whole, however long it is', () => {
    const subject = `echo ${'x'.repeat(5_000)} && rm -rf /`
    expect(questionText(approvalOf({ subject }))).toContain(subject)
  })

  test('can neither steer the terminal nor pass for a line of its own', () => {
    const text = questionText(
      approvalOf({ subject: 'ls\u001b[2J\u001b]52;c;aGk=\u0007\n  why      all is well' }),
    )
    expect(text).not.toContain('\u001b')
    expect(text).toContain('shell: ls\n    |   why      all is well\n  why      no rule allows it\n')
  })

  test('is listed with as much of its id as tells it from the others', () => {
    const ids = ['019d0000-0000-7000-8000-00000000000a', '019d0000-0001-7000-8000-00000000000b']
    const now = Date.parse('2026-01-01T00:03:00.000Z')
    const text = approvalList(
      ids.map((approvalId) => approvalOf({ approvalId })),
      now,
    )
    expect(text).toMatch(/^019d0000-0000 {2}ops asks for shell: npm publish\n/)
    expect(text).toContain('\n\n019d0000-0001  ops asks')
    expect(text).toContain('  time     asked 3m ago, expires in 57m')
    expect(approvalList([], now)).toBe('no open questions')
  })

  test('that nobody answered is not called denied by a person', () => {
    expect(decisionText({ decision: 'deny', by: 'timeout' })).toBe('denied: nobody answered in time')
    expect(decisionText({ decision: 'deny', by: 'person' })).toBe('denied')
  })
})
