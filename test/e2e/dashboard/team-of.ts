/** The team behind a dashboard, asked over its gateway as any other program would. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectLocal } from '../../../src/client/local.ts'
import type { RemoteAgent, RemoteTeam } from '../../../src/client/remote-team.ts'
import { until } from '../../fakes/until.ts'

/** The team that serves the folder's data directory, as soon as one does. */
export async function teamOf(folder: string): Promise<RemoteTeam> {
  const team = await until('a served data directory', () => {
    try {
      return connectLocal(join(folder, 'sessions'))
    } catch {
      return undefined // Not yet, or not again yet.
    }
  })
  await until('an answer of the gateway', () =>
    team.health().then(
      () => true,
      () => false,
    ),
  )
  return team
}

export async function agentOf(team: RemoteTeam, id: string): Promise<RemoteAgent> {
  const agent = await team.agent(id)
  if (agent === undefined) throw new Error(`there is no agent ${id}`)
  return agent
}

/** The path of a module in test/fakes/behaviors. */
export function behaviorModule(name: string): string {
  return fileURLToPath(new URL(`../../fakes/behaviors/${name}.ts`, import.meta.url))
}
