/**
 * How much an agent may owe an answer at once.
 *
 * CB1 Messages and session commands have a cap each: many of the one do not keep the other out.
 * CB2 Cancels and answers to questions are always taken: they are what lets an agent go on whose mailbox is full.
 * CB3 A call counts from when it is taken until it is settled.
 * CB4 A message that comes alone is taken, whatever its size: otherwise it could never be.
 */
import { messageBytes } from '../core/record.ts'
import { AgentryError, assertNever } from '../errors.ts'
import { mailboxFullOfBytes } from '../protocol/mailbox-full.ts'
import type { Call } from './pending-calls.ts'

export interface CallBudgetOptions {
  agentId: string
  /** Messages, and session commands, at most. */
  maxCalls: number
  /** Bytes of messages, at most (CB4). */
  maxBytes: number
}

export class CallBudget {
  readonly #options: CallBudgetOptions
  readonly #counts = { message: 0, command: 0 }
  #bytes = 0

  constructor(options: CallBudgetOptions) {
    this.#options = options
  }

  /** The call to settle in the place of `call` (CB3), or the `mailbox_full` that refuses it. */
  take(call: Call): { call: Call } | { full: AgentryError } {
    const { request } = call
    switch (request.type) {
      case 'message': {
        const bytes = messageBytes(request.message)
        const full = this.#fullOfBytes(bytes) ?? this.#fullOf('message')
        return full ? { full } : { call: this.#counted(call, 'message', bytes) }
      }
      case 'command': {
        const full = this.#fullOf('command')
        return full ? { full } : { call: this.#counted(call, 'command', 0) }
      }
      case 'cancel':
      case 'approval':
        return { call }
      default:
        return assertNever(request)
    }
  }

  #counted(call: Call, kind: 'message' | 'command', bytes: number): Call {
    this.#counts[kind] += 1
    this.#bytes += bytes
    const settled = (): void => {
      this.#counts[kind] -= 1
      this.#bytes -= bytes
    }
    return {
      ...call,
      resolve: (value) => {
        settled()
        call.resolve(value)
      },
      reject: (error) => {
        settled()
        call.reject(error)
      },
    }
  }

  #fullOfBytes(bytes: number): AgentryError | undefined {
    const { agentId, maxBytes } = this.#options
    const heldBytes = this.#bytes
    if (heldBytes === 0 || heldBytes + bytes <= maxBytes) return undefined
    return mailboxFullOfBytes(agentId, { heldBytes, bytes, maxBytes })
  }

  #fullOf(kind: 'message' | 'command'): AgentryError | undefined {
    const { agentId, maxCalls } = this.#options
    if (this.#counts[kind] < maxCalls) return undefined
    const message = `agent ${agentId} has ${maxCalls} unanswered ${kind}s, the most that are accepted`
    return new AgentryError('mailbox_full', message)
  }
}
