/** Says where a question can be answered, for a command that has nobody to ask. */
import type { Team } from '../../api.ts'
import { ensureToken } from '../../store/token-file.ts'
import { describeThrown } from '../../errors.ts'
import type { AnyTeam, CommandContext } from '../open-team.ts'
import { TOKEN_VARIABLE } from '../serve-options.ts'
import { questionText } from './view.ts'
import type { PutQuestion } from './watch.ts'

export interface Elsewhere {
  readonly put: PutQuestion
  /** Ends what it began to serve. Idempotent. */
  close(): Promise<void>
}

/**
 * Every question becomes a note that has the command which answers it. A team of this process is served from the first question on, on
 * this machine and with the token of its directory: the command could not reach it otherwise. `beginLine` is called before a note.
 */
export function askElsewhere(context: CommandContext, team: AnyTeam, beginLine: () => void): Elsewhere {
  const { report } = context
  let serving: Promise<() => Promise<void>> | undefined
  return {
    async put(approval) {
      try {
        if (!('url' in team)) await (serving ??= serveForAnswers(context, team))
      } catch (error) {
        report.note(`cannot be reached for an answer: ${describeThrown(error)}`)
      }
      beginLine()
      const command = answerCommand(context, approval.approvalId)
      report.note(`waiting for an answer: ${questionText(approval)}\n  answer   ${command}`)
      return undefined
    },
    async close() {
      const end = await serving?.catch(() => undefined) // told of above
      await end?.()
    },
  }
}

/** Loaded here only: the server would slow down the start of every other command. */
async function serveForAnswers({ io, version }: CommandContext, team: Team): Promise<() => Promise<void>> {
  const { serveTeam } = await import('../../gateway/serve.ts')
  const token = io.env[TOKEN_VARIABLE] ?? ensureToken(team.directory)
  const gateway = await serveTeam(team, { port: 0, token: () => token, version })
  team.announce(gateway.url)
  return () => gateway.close()
}

/** As it would be typed in the same folder. */
function answerCommand({ globals }: CommandContext, approvalId: string): string {
  const options = (['config', 'data'] as const).flatMap((name) => {
    const value = globals[name]
    return value === undefined ? [] : [`--${name}`, shellWord(value)]
  })
  return ['agentry', ...options, 'approvals answer', approvalId, 'once|session|deny'].join(' ')
}

function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
