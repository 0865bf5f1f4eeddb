import type { StayOptions } from '../../protocol/stay.ts'
import { configuredSecretNames } from './configured-names.ts'
import { createRedactor, type Redactor } from './redactor.ts'
import { secretsOf } from './secrets-of.ts'

/** By the names of what is secret: a thread serves many stays, and its environment does not change. */
const redactors = new Map<string, Redactor>()

/** Takes the secrets of this process's environment, and those that the team's settings name, out of what a stay records and says. */
export function redactorOf({ models, spec }: Pick<StayOptions, 'models' | 'spec'>): Redactor {
  const names = configuredSecretNames(models, Object.values(spec.llm?.mcpServers ?? {}))
  const key = [...names].sort().join('\n')
  let redactor = redactors.get(key)
  if (redactor === undefined) {
    redactor = createRedactor(secretsOf(process.env, names))
    redactors.set(key, redactor)
  }
  return redactor
}
