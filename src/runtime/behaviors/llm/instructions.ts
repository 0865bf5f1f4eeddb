/** What a model is told before the conversation. */
import type { AgentSpec } from '../../../agent-spec.ts'
import type { SessionView } from '../../../behavior.ts'

/** `{{name}}` in a prompt: a var of the session, or one of those that Agentry knows. */
const PLACE = /\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}/g

/** The prompt with vars filled in (a name that is not known stays as it is), and where the agent finds itself. */
export function instructionsOf(
  spec: Pick<AgentSpec, 'id' | 'role'>,
  session: Pick<SessionView, 'name' | 'prompt' | 'vars' | 'workingDir'>,
): string {
  const own: Record<string, string> = {
    'agent.id': spec.id,
    'agent.role': spec.role,
    'session.name': session.name,
    'session.workingDir': session.workingDir,
  }
  const known = (name: string): string | undefined =>
    Object.hasOwn(session.vars, name) ? session.vars[name] : Object.hasOwn(own, name) ? own[name] : undefined
  const prompt = session.prompt.replace(PLACE, (place, name: string) => known(name) ?? place)
  const role = spec.role === '' ? '' : ` (${spec.role})`
  const setting = `You are the agent ${spec.id}${role}. Your working directory is ${session.workingDir}.`
  return prompt === '' ? setting : `${prompt}\n\n${setting}`
}
