/** What the configuration of a server takes from the supervisor's environment. */
import type { McpServerSpec } from '../../llm-spec.ts'
import { AgentryError } from '../../errors.ts'
import { baseEnvironment } from '../processes/command-environment.ts'

/** Opens the gateway: never handed to anybody. */
const GATEWAY_TOKEN = 'AGENTRY_TOKEN'

/**
 * The whole environment of a server that is a process: the part that commands see too, over it what `envFrom` names, over that
 * `env`. Throws `invalid_config` naming a variable that is not set, or that nobody is given.
 */
export function serverEnvironment(
  spec: Extract<McpServerSpec, { type: 'stdio' }>,
  environment: NodeJS.ProcessEnv,
): Map<string, string> {
  const handedOn = spec.envFrom.map((name): [string, string] => [
    name,
    required(name, 'envFrom', environment),
  ])
  return new Map([...baseEnvironment(environment), ...handedOn, ...Object.entries(spec.env)])
}

/** The bearer token of a server behind a URL, undefined where it takes none. Throws like serverEnvironment. */
export function bearerToken(
  spec: Extract<McpServerSpec, { type: 'http' }>,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  return spec.tokenEnv === undefined ? undefined : required(spec.tokenEnv, 'tokenEnv', environment)
}

function required(name: string, key: string, environment: NodeJS.ProcessEnv): string {
  if (name === GATEWAY_TOKEN) {
    throw new AgentryError(
      'invalid_config',
      `${key} names ${name}: the token of the gateway is handed to nobody`,
    )
  }
  const value = environment[name]
  if (value === undefined || value === '') {
    throw new AgentryError(
      'invalid_config',
      `${key} names the variable ${name}, which is not set in the environment`,
      {
        data: { variable: name },
      },
    )
  }
  return value
}
