/** Which variables a team's configuration takes secrets from. Pure. */
import type { McpServerSpec, TeamModels } from '../../llm-spec.ts'

/**
 * The variables that hold the keys and secret headers of providers and the tokens of MCP servers, and the token of the gateway.
 * Not what `envFrom` hands to a server: that may be anything, and counts as a secret by its name.
 */
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
