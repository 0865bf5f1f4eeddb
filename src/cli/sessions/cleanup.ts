/** `agentry sessions cleanup`: applies a retention policy once. */
import { parseDuration } from '../../core/duration.ts'
import { AgentryError } from '../../errors.ts'
import type { RetentionPolicy } from '../../store/retention.ts'
import { hasColor } from '../io.ts'
import { type CommandContext, resolveSetup, type Setup, withTeam } from '../open-team.ts'
import { sessionTable } from './view.ts'

export interface CleanupOptions {
  maxAge?: string
  maxCount?: number
  includeSuspended?: boolean
  dryRun?: boolean
}

/**
 * Moves the sessions that the policy takes to the trash, or with --dry-run says which it would. The policy is that of the
 * options, else of the file. Throws `invalid_input` where neither has one.
 */
export async function cleanup(context: CommandContext, options: CleanupOptions): Promise<void> {
  const { io, report } = context
  const policy = choosePolicy(policyOf(options), await resolveSetup(context))
  const dryRun = options.dryRun ?? false
  await withTeam(context, { resume: false }, async (team) => {
    const sessions = await team.cleanup(policy, { dryRun })
    report.answer({ dryRun, sessions }, () => {
      if (sessions.length === 0) return 'no session fits the policy'
      const ids = sessions.map((session) => session.id)
      const rows = sessionTable(sessions, ids, io.clock.now(), hasColor(io, io.stdout))
      return `${dryRun ? 'would move to the trash' : 'moved to the trash'}:\n${rows}`
    })
  })
}

function policyOf({ maxAge, maxCount, includeSuspended }: CleanupOptions): RetentionPolicy {
  return {
    ...(maxAge !== undefined && { maxAgeMs: parseDuration(maxAge) }),
    ...(maxCount !== undefined && { maxCount }),
    ...(includeSuspended !== undefined && { includeSuspended }),
  }
}

function choosePolicy(given: RetentionPolicy, { config }: Setup): RetentionPolicy {
  if (given.maxAgeMs !== undefined || given.maxCount !== undefined) return given
  const configured = config?.retention
  if (configured?.maxAgeMs !== undefined || configured?.maxCount !== undefined)
    return { ...configured, ...given }
  throw new AgentryError(
    'invalid_input',
    'expected a policy: --max-age or --max-count, or a retention with one of them in the configuration file',
  )
}
