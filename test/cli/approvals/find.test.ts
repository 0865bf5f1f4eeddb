import { describe, expect, test } from 'vitest'
import { findApproval } from '../../../src/cli/approvals/find.ts'
import { approvalOf } from '../../fakes/approval.ts'

describe('a question by its id', () => {
  const one = approvalOf({ approvalId: '019d0000-0000-7000-8000-00000000000a' })
  const two = approvalOf({ approvalId: '019d0000-0000-7000-8000-00000000000b' })

  test('is found by all of it and by a beginning that no other has', () => {
    expect(findApproval([one, two], one.approvalId)).toBe(one)
    expect(findApproval([two], '019d')).toBe(two)
  })

  test('is refused by name where it fits none, or is too short to mean one', () => {
    for (const reference of ['0190ffff', '019', '']) {
      expect(() => findApproval([one], reference)).toThrowError(
        expect.objectContaining({ code: 'approval_not_found' }) as Error,
      )
    }
  })

  test('is refused with the candidates where it fits several', () => {
    expect(() => findApproval([one, two], '019d0000')).toThrowError(
      expect.objectContaining({
        code: 'invalid_input',
        data: { reference: '019d0000', candidates: [one.approvalId, two.approvalId] },
      }) as Error,
    )
  })
})
