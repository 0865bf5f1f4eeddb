/**
 * The environment of a command, and what a command changed in it.
 *
 * A command sees, later ones over earlier ones: a short list of the supervisor's own variables (so that its secrets stay
 * with it), the session's vars, and who runs it (AGENTRY_*). Whatever else a command needs, a session's vars give it.
 */
import { isProxyName, isSecretName } from '../secrets/secrets-of.ts'

/**
 * Taken over from the supervisor's environment: who and where the person is, their language, and what a machine behind a proxy
 * needs to reach the network. Not SSH_AUTH_SOCK, which lends the person's keys, nor NODE_ENV and CI, which change what tools do.
 */
const INHERITED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TMPDIR',
  'TZ',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
])
const INHERITED_PREFIXES = ['LC_', 'XDG_']

/** Never a session's var: what the shell sets by itself, and the one name that no session can hold. */
const NOT_SESSION_VARS = new Set(['PWD', 'OLDPWD', 'SHLVL', '_', '__proto__'])

/** Found in /proc by killLeftovers: whatever a turn started carries it, unless it cleared its environment. */
export const TURN_MARKER = 'AGENTRY_TURN'
/** As TURN_MARKER, of a single command: only where nothing of it is to live on. */
export const COMMAND_MARKER = 'AGENTRY_COMMAND'

/** Who runs a command, as it sees it in its environment. */
export interface CommandOrigin {
  agentId: string
  sessionId: string
  turnId: string
}

/** The part of the supervisor's environment that commands see: never a variable with the name of a secret, nor one that may hold a login, in a URL or for a proxy. */
export function baseEnvironment(source: NodeJS.ProcessEnv): Map<string, string> {
  const base = new Map([
    ['PATH', '/usr/local/bin:/usr/bin:/bin'],
    ['TERM', 'dumb'],
  ])
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && isInherited(name) && !mayHoldLogin(name, value)) base.set(name, value)
  }
  return base
}

/** By any `@`, since passwords stand unencoded in such variables too. */
function mayHoldLogin(name: string, value: string): boolean {
  return isProxyName(name) ? value.includes('@') : /:\/\/.*@/s.test(value)
}

function isInherited(name: string): boolean {
  if (isSecretName(name)) return false
  return INHERITED.has(name) || INHERITED_PREFIXES.some((prefix) => name.startsWith(prefix))
}

/** The whole environment of one command. Vars whose name no shell variable can have are left out. */
export function commandEnvironment(
  base: ReadonlyMap<string, string>,
  vars: Readonly<Record<string, string>>,
  origin: CommandOrigin,
): Map<string, string> {
  return new Map([
    ...base,
    ...Object.entries(vars).filter(([name]) => isSessionVar(name)),
    ['AGENTRY_AGENT', origin.agentId],
    ['AGENTRY_SESSION', origin.sessionId],
    [TURN_MARKER, origin.turnId],
  ])
}

/**
 * The patch that makes the session's vars what the shell had exported at its end; null removes. Undefined: nothing changed.
 * A variable of the base belongs to the session only while it differs, so its removal lasts no longer than the command.
 */
export function changedVars(
  base: ReadonlyMap<string, string>,
  vars: Readonly<Record<string, string>>,
  exported: ReadonlyMap<string, string>,
): Record<string, string | null> | undefined {
  const before = new Map(Object.entries(vars).filter(([name]) => isSessionVar(name)))
  const after = new Map(
    [...exported].filter(([name, value]) => isSessionVar(name) && base.get(name) !== value),
  )
  const patch = new Map<string, string | null>()
  for (const [name, value] of after) if (before.get(name) !== value) patch.set(name, value)
  for (const name of before.keys()) if (!after.has(name)) patch.set(name, null)
  return patch.size === 0 ? undefined : Object.fromEntries(patch)
}

function isSessionVar(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !NOT_SESSION_VARS.has(name) && !name.startsWith('AGENTRY_')
}
