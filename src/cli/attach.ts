/** `agentry attach`: the dashboard on a team that a running supervisor serves, here or at a url. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createClient } from '../client/client.ts'
import { connectLocal } from '../client/local.ts'
import type { RemoteTeam } from '../client/remote-team.ts'
import { quote } from '../core/ids.ts'
import { AgentryError, describeThrown, isAgentryError } from '../errors.ts'
import { assertToken } from '../store/token-file.ts'
import { showServed } from './dashboard.ts'
import type { ExitCode } from './exit-codes.ts'
import { type CommandContext, resolveSetup, type Setup } from './open-team.ts'
import { TOKEN_VARIABLE } from './serve-options.ts'
import { terminalOf } from './terminal.ts'

export interface AttachOptions {
  tokenFile?: string
}

/**
 * Never starts a supervisor. Throws `gateway_unreachable` where nobody serves, `unauthorized` without the token of the
 * gateway, `invalid_input` without a terminal and for a url whose token nobody said.
 */
export async function attach(
  context: CommandContext,
  url: string | undefined,
  options: AttachOptions,
): Promise<ExitCode> {
  const { io } = context
  const terminal = terminalOf(io)
  if (typeof terminal === 'string') {
    throw new AgentryError('invalid_input', `expected a terminal to draw the dashboard on: ${terminal}`)
  }
  const given = givenToken(context, options)
  if (url !== undefined && given !== undefined) {
    const where = urlOf(url)
    const remote = (): RemoteTeam => createClient({ url: where, token: given })
    await assertAnswers(remote())
    return showServed(context, terminal, remote)
  }
  const setup = await resolveSetup(context)
  const local = (): RemoteTeam => connectLocal(setup.data, given === undefined ? {} : { token: given })
  // The directory's token is for its owner alone: whoever else listens at a url must not get it.
  const where = url === undefined ? undefined : urlOf(url)
  const served = where === undefined ? local : (): RemoteTeam => ownerAt(where, local, setup)
  await assertAnswers(served())
  return showServed(context, terminal, served, setup)
}

/** That of --token-file, else of AGENTRY_TOKEN. Never an argument: others see those. */
function givenToken({ io }: CommandContext, { tokenFile }: AttachOptions): string | undefined {
  if (tokenFile === undefined) {
    const token = io.env[TOKEN_VARIABLE]
    if (token !== undefined) assertToken(token, TOKEN_VARIABLE)
    return token
  }
  let token: string
  try {
    token = readFileSync(resolve(io.cwd, tokenFile), 'utf8').trim()
  } catch (cause) {
    throw new AgentryError('invalid_input', `--token-file: ${describeThrown(cause)}`, { cause })
  }
  assertToken(token, '--token-file')
  return token
}

/** As the client writes it: without a slash at the end. */
function urlOf(text: string): string {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') {
    return url.href.replace(/\/+$/, '')
  }
  throw new AgentryError(
    'invalid_input',
    `expected a url such as http://127.0.0.1:7420, received ${quote(text)}`,
  )
}

function ownerAt(url: string, local: () => RemoteTeam, { data }: Setup): RemoteTeam {
  let owner: RemoteTeam | undefined
  try {
    owner = local()
  } catch (error) {
    const isNoOwner = isAgentryError(error, 'gateway_unreachable') || isAgentryError(error, 'unauthorized')
    if (!isNoOwner) throw error
  }
  if (owner !== undefined && new URL(owner.url).origin === new URL(url).origin) return owner
  throw new AgentryError(
    'invalid_input',
    `expected a token for ${url} by --token-file or ${TOKEN_VARIABLE}: ${data} has none for it`,
  )
}

/** Before the screen is drawn, so that what is wrong stays to be read. */
async function assertAnswers(team: RemoteTeam): Promise<void> {
  try {
    await team.health()
  } finally {
    await team.close()
  }
}
