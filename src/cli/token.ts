/** `agentry token rotate`: a new token for the gateway of a data directory. */
import { existsSync } from 'node:fs'
import { AgentryError } from '../errors.ts'
import { rotateToken, tokenFileOf } from '../store/token-file.ts'
import { type CommandContext, resolveSetup } from './open-team.ts'

/** Holds for a running gateway from a second later on; the token itself is not printed. Throws `directory_invalid`. */
export async function rotate(context: CommandContext): Promise<void> {
  const { data } = await resolveSetup(context)
  if (!existsSync(data)) {
    throw new AgentryError('directory_invalid', `there is no data directory at ${data}`, {
      data: { directory: data },
    })
  }
  rotateToken(data)
  const tokenFile = tokenFileOf(data)
  context.report.answer({ tokenFile }, () => `a new token is in ${tokenFile}`)
}
