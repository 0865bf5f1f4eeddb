import { expect, test } from 'vitest'
import type { SessionNote } from '../../src/store/session-store.ts'
import { NoteLog } from '../../src/supervisor/note-log.ts'

const fault = (message: string): SessionNote => ({ kind: 'agent-fault', message })
const failedAppend = (sessionId: string, message: string): SessionNote => ({
  kind: 'append-failed',
  sessionId,
  message,
})

function messagesOf(log: NoteLog): string[] {
  return log.all().map(({ message }) => message)
}

test('notes are kept in their order, those of the start first, and the given list is left as it is', () => {
  const atStart = [fault('start')]
  const log = new NoteLog(atStart)
  log.add(fault('one'))
  log.add(fault('one'))
  expect(messagesOf(log)).toEqual(['start', 'one', 'one'])
  expect(atStart).toHaveLength(1)
})

test('what comes back with every try is kept once for each session and kind, where it came last', () => {
  const log = new NoteLog([])
  log.add(failedAppend('s', 'first try'))
  log.add({ ...failedAppend('s', 'the sync'), kind: 'sync-failed' })
  log.add(failedAppend('t', 'of another session'))
  log.add(failedAppend('s', 'second try'))
  log.add(failedAppend('s', 'third try'))
  expect(messagesOf(log)).toEqual(['the sync', 'of another session', 'third try'])
})

test('the latest two hundred are kept', () => {
  const log = new NoteLog([fault('start')])
  for (let count = 1; count <= 250; count++) log.add(fault(`${count}`))
  const messages = messagesOf(log)
  expect([messages.length, messages[0], messages.at(-1)]).toEqual([200, '51', '250'])
})
