import { onTestFinished } from 'vitest'
import type { Team } from '../../src/api.ts'
import { createTeam, type TeamOptions } from '../../src/team.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A team of threads, in a directory of its own unless one is given; closed when the running test has finished. */
export async function openTeam(options: TeamOptions = {}): Promise<Team> {
  const team = await createTeam({ data: temporaryDirectory(), ...options })
  onTestFinished(() => team.close({ graceMs: 0 }))
  return team
}

/** The absolute path of a module in test/fakes/behaviors. */
export function fakeBehavior(name: string): string {
  return new URL(`behaviors/${name}.ts`, import.meta.url).pathname
}
