/** Which variables of an environment hold secrets. Pure. */

export interface Secret {
  /** Of the variable; shown where the value stood. */
  name: string
  value: string
}

/** Shorter values are in too many texts that have nothing to do with them. */
const MIN_SECRET_LENGTH = 8

const SECRET_NAME =
  /(?:^|_)(?:KEY|PASS|PWD|AUTH|DSN)S?$|(?:API_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL)S?$|(?:^|_)SECRET_/i
/** They match, and say where a shell is and was. */
const NO_SECRETS = new Set(['PWD', 'OLDPWD'])

/** True for the variables that programs take their proxy from. */
export function isProxyName(name: string): boolean {
  return /_proxy$/i.test(name)
}

/** True where a name says that its value is a secret: `OPENAI_API_KEY`, `GITHUB_TOKEN`, `PGPASSWORD`, `SECRET_KEY_BASE`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !NO_SECRETS.has(name)
}

/**
 * The secrets of an environment: what `names` lists (the variables that a configuration names as secrets), what `likely` lists
 * (variables that are handed to somebody), what has the name of a secret, and passwords inside of URLs. Left out are values of less
 * than 8 characters, and of all that `names` does not list, numbers, paths, and values that hold no letter or digit.
 */
export function secretsOf(
  environment: Readonly<Record<string, string | undefined>>,
  names: Iterable<string>,
  likely: Iterable<string> = [],
): Secret[] {
  const listed = new Set(names)
  const suspected = new Set(likely)
  const secrets: Secret[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value.trim().length < MIN_SECRET_LENGTH) continue
    const maybe = suspected.has(name) || isSecretName(name)
    if (listed.has(name) || (maybe && !isTrivial(value))) secrets.push({ name, value })
    for (const password of passwordsIn(name, value)) secrets.push({ name, value: password })
  }
  return secrets
}

function isTrivial(value: string): boolean {
  return /^[\d.,:\s-]+$/.test(value) || isPath(value) || !/[\p{L}\p{N}]/u.test(value)
}

/** Of short plain segments: a key in base64 may begin with a slash too. */
function isPath(value: string): boolean {
  return /^(?:~|\.{1,2})?(?:\/[\w.@-]{1,24})+\/?$/.test(value)
}

/** `alice:password@host`, as clients take it for a proxy, with a scheme or without one. */
const LOGIN = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#@:\s]*:([^/?#@\s]+)@/i
/** A proxy has no path that an `@` could stand in: characters that should have been encoded belong to the password. */
const PROXY_LOGIN = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/@:]*:(.+)@/i

/** As it stands in the URL, and decoded. */
function passwordsIn(name: string, value: string): string[] {
  const written = (isProxyName(name) ? PROXY_LOGIN : LOGIN).exec(value)?.[1]
  if (written === undefined) return []
  return [...new Set([written, decoded(written)])].filter((text) => text.length >= MIN_SECRET_LENGTH)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
