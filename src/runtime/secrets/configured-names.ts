/** Which variables a team's configuration takes secrets from. Pure. */
import type { McpServerSpec, TeamModels } from '../../llm-spec.ts'
import { baseEnvironment } from '../processes/command-environment.ts'

/** The variables that hold the keys and secret headers of providers and the tokens of MCP servers, and the token of the gateway. */
export function configuredSecretNames(
  models: Pick<TeamModels, 'providers'>,
  mcpServers: Iterable<McpServerSpec>,
): Set<string> {
  const names = new Set(['AGENTRY_TOKEN'])
  for (const { apiKeyEnv, headersEnv } of Object.values(models.providers)) {
    if (apiKeyEnv !== undefined) names.add(apiKeyEnv)
    for (const name of Object.values(headersEnv)) names.add(name)
  }
  for (const server of mcpServers) {
    if (server.type === 'http' && server.tokenEnv !== undefined) names.add(server.tokenEnv)
  }
  return names
}

/**
 * The variables that `envFrom` hands to servers: mostly logins, whatever they are called. Not those that commands see anyway
 * (`HOME`, `LANG`): they would be taken out of all that commands print.
 */
export function handedOnNames(mcpServers: Iterable<McpServerSpec>): Set<string> {
  const names = [...mcpServers].flatMap((server) => (server.type === 'stdio' ? server.envFrom : []))
  const seen = baseEnvironment(Object.fromEntries(names.map((name) => [name, 'anything'])))
  return new Set(names.filter((name) => !seen.has(name)))
}
