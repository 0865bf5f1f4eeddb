import { AgentryError } from '../errors.ts'

/** The refusal of a message of `bytes` where the unfinished ones have `heldBytes` of `maxBytes` already. */
export function mailboxFullOfBytes(
  agentId: string,
  { heldBytes, bytes, maxBytes }: { heldBytes: number; bytes: number; maxBytes: number },
): AgentryError {
  const message = `the unfinished messages of agent ${agentId} have ${heldBytes} of at most ${maxBytes} bytes: ${bytes} more are not taken`
  return new AgentryError('mailbox_full', message, { data: { agentId, heldBytes, maxBytes } })
}
