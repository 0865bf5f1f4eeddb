import type { StayOptions } from '../../protocol/stay.ts'
import { readToken } from '../../store/token-file.ts'
import { configuredSecretNames, handedOnNames } from './configured-names.ts'
import { createRedactor, type Redactor } from './redactor.ts'
import { secretsOf } from './secrets-of.ts'

/** By the names of what is secret: a thread serves many stays, and its environment does not change. */
const redactors = new Map<string, Redactor>()

/**
 * Takes the secrets of this process's environment, those that the team's settings name, and the token of its gateway out of what a
 * stay records and says.
 */
export function redactorOf({
  models,
  spec,
  store,
}: Pick<StayOptions, 'models' | 'spec' | 'store'>): Redactor {
  const servers = Object.values(spec.llm?.mcpServers ?? {})
  const names = configuredSecretNames(models, servers)
  const handedOn = handedOnNames(servers)
  const token = tokenOf(store.directory)
  const key = JSON.stringify([[...names].sort(), [...handedOn].sort(), token ?? ''])
  let redactor = redactors.get(key)
  if (redactor === undefined) {
    const secrets = secretsOf(process.env, names, handedOn)
    if (token !== undefined) secrets.push({ name: 'AGENTRY_TOKEN', value: token })
    redactor = createRedactor(secrets)
    redactors.set(key, redactor)
  }
  return redactor
}

/** A file that holds no token is the gateway's to refuse. */
function tokenOf(directory: string | undefined): string | undefined {
  try {
    return directory === undefined ? undefined : readToken(directory)
  } catch {
    return undefined
  }
}
