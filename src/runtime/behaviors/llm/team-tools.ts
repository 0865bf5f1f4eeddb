/** The tools by which a model reaches the other agents of its team. */
import { z } from 'zod'
import type { BehaviorContext } from '../../../behavior.ts'
import { ASK_TOOL, TELL_TOOL } from '../../asking.ts'
import { defineTool } from '../../tools/define-tool.ts'
import type { Tool } from '../../tools/tool.ts'

const MESSAGE = z.strictObject({
  agent: z.string().min(1).describe('The id of the other agent.'),
  message: z.string().min(1).describe('Everything that it needs to know: it does not see this conversation.'),
})

/** What a call of a team tool is given in place of an `execute` of its own: these are recorded in ways of their own. */
export type TeamCall = { tool: 'ask' | 'tell'; agent: string; message: string }

/** `context` gives that of the turn which calls. */
export function createTeamTools(context: () => BehaviorContext): Map<string, Tool> {
  const unreachable = async (): Promise<never> => {
    throw new Error('run by the turn itself')
  }
  const tools = [
    defineTool({
      name: 'list_agents',
      description: 'Lists the other agents of the team: their ids, what they are for, and what they do now.',
      input: z.strictObject({}),
      readOnly: true,
      async execute() {
        const others = await context().teammates()
        if (others.length === 0) return 'there are no other agents'
        return others
          .map(({ id, role, behavior, state }) => `${id} (${role || behavior}): ${state}`)
          .join('\n')
      },
    }),
    defineTool({
      name: ASK_TOOL,
      description: 'Sends a message to another agent of the team and waits for its answer.',
      input: MESSAGE,
      subject: ({ agent }) => ({ kind: 'agent', text: agent }),
      execute: unreachable,
    }),
    defineTool({
      name: TELL_TOOL,
      description: 'Sends a message to another agent of the team without waiting for an answer.',
      input: MESSAGE,
      subject: ({ agent }) => ({ kind: 'agent', text: agent }),
      execute: unreachable,
    }),
  ]
  return new Map<string, Tool>(tools.map((tool) => [tool.name, tool]))
}

/** The call of a team tool that the turn runs itself; undefined for any other tool. */
export function teamCallOf(name: string, input: unknown): TeamCall | undefined {
  if (name !== ASK_TOOL && name !== TELL_TOOL) return undefined
  const { agent, message } = MESSAGE.parse(input)
  return { tool: name === ASK_TOOL ? 'ask' : 'tell', agent, message }
}
