/** Records of a session for tests of the dashboard, and what is drawn of them as text. */
import type { RecordBody, SessionRecord } from '../../src/core/record.ts'
import type { Conversation } from '../../src/dashboard/model/conversation.ts'
import { type ConversationSize, conversationLines } from '../../src/dashboard/model/conversation-lines.ts'
import type { Line } from '../../src/dashboard/model/line.ts'

export const SESSION = '0199c0de-0000-7000-8000-000000000001'

/** 14:02 of a day, in the time of this place. */
export const NOW_MS: number = new Date(2026, 10, 25, 14, 2).getTime()
const AT = new Date(NOW_MS).toISOString()

export const CREATED: RecordBody = {
  type: 'session.created',
  sessionId: SESSION,
  agentId: 'ops',
  name: 'work',
  description: '',
  status: 'active',
  activation: 1,
  workingDir: '/',
  prompt: '',
  vars: {},
  metadata: {},
}

/** The bodies as records, the first of them with `seq`. */
export function records(bodies: readonly RecordBody[], seq = 1): SessionRecord[] {
  return bodies.map((body, index) => ({ seq: seq + index, epoch: 1, at: AT, ...body }))
}

/** A turn of an echo: four rows of a conversation, one of them empty. */
export function echoTurn(turnId: string, text: string = turnId): RecordBody[] {
  return [
    { type: 'message.accepted', turnId, taskId: turnId, input: text },
    { type: 'turn.started', turnId, attempt: 1 },
    { type: 'turn.finished', turnId, status: 'completed', result: `echo ${text}` },
  ]
}

/** A turn of a shell up to the start of its command. */
export function shellTurn(turnId: string, command: string): RecordBody[] {
  return [
    { type: 'message.accepted', turnId, taskId: turnId, input: command },
    { type: 'turn.started', turnId, attempt: 1 },
    { type: 'tool.started', turnId, toolCallId: turnId, name: 'shell', input: { command, workingDir: '/' } },
  ]
}

export function textOf(lines: readonly Line[]): string[] {
  return lines.map((line) =>
    line
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  )
}

export function sizeOf(size: Partial<ConversationSize> = {}): ConversationSize {
  return { width: 40, height: 20, nowMs: NOW_MS, ...size }
}

export function drawn(conversation: Conversation, size: Partial<ConversationSize> = {}): string[] {
  return textOf(conversationLines(conversation, sizeOf(size)).lines)
}
