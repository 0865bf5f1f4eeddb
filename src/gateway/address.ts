/** Where the gateway may listen, and by which names it is reached there. Pure. */
import { isIP } from 'node:net'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'

export interface Exposure {
  host: string
  /** The token was set by who runs the gateway, who therefore knows that there is one. */
  tokenIsSet: boolean
  /** Said by name: requests and the token in them may be read on the way, unless a proxy encrypts that. */
  insecureHttp: boolean
}

/** Throws `insecure_bind` for an address beyond this machine without what makes that safe. */
export function assertBindable({ host, tokenIsSet, insecureHttp }: Exposure): void {
  if (isLoopback(host)) return
  const missing = [
    ...(tokenIsSet ? [] : ['a token of your own in AGENTRY_TOKEN']),
    ...(insecureHttp ? [] : ['--insecure-http']),
  ]
  if (missing.length === 0) return
  throw new AgentryError(
    'insecure_bind',
    `${quote(host)} can be reached from beyond this machine, and who reaches it can run commands: expected ${missing.join(', and ')}`,
    { data: { host } },
  )
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

interface Authority {
  /** In lower case; an IPv6 address without its brackets. */
  name: string
  port?: number
}

/**
 * What a Host header means to a gateway that listens at `host` and a port: the origins of its own pages at that Host, or undefined where it is not
 * reached by that Host.
 *
 * It is reached by its address. Bound to all addresses of the machine it has any of them (a name that an attacker's DNS points here is
 * no address). `names` are others, such as that of a proxy before it: `name:port` is that port; a name without a port is the default
 * ports and its own. What a proxy serves may be http or https. Throws `invalid_input` for a name that is none.
 */
export function ownOrigins(
  host: string,
  names: readonly string[] = [],
): (header: string, port: number) => string[] | undefined {
  const addresses = new Set([host, ...(isLoopback(host) ? ['127.0.0.1', 'localhost', '::1'] : [])])
  const isWildcard = host === '0.0.0.0' || host === '::'
  const allowed = names.map(parseName)
  return (header, port) => {
    const given = parseAuthority(header)
    if (given === undefined) return undefined
    const { name } = given
    const isAddress = addresses.has(name) || (isWildcard && isIP(name) !== 0)
    if (isAddress && (given.port ?? DEFAULT_PORTS.http) === port) return [originOf('http', given)]
    const isAllowed = allowed.some((entry) => entry.name === name && isPortOf(entry, given.port, port))
    return isAllowed ? [originOf('http', given), originOf('https', given)] : undefined
  }
}

const DEFAULT_PORTS = { http: 80, https: 443 }

function isDefault(port: number | undefined): boolean {
  return port === undefined || port === DEFAULT_PORTS.http || port === DEFAULT_PORTS.https
}

function isPortOf(entry: Authority, port: number | undefined, ownPort: number): boolean {
  if (entry.port === undefined) return isDefault(port) || port === ownPort
  return entry.port === port || (port === undefined && isDefault(entry.port))
}

function parseName(text: string): Authority {
  const authority = parseAuthority(text)
  if (authority !== undefined && URL.canParse(originOf('http', authority))) return authority
  throw new AgentryError(
    'invalid_input',
    `expected a name that the gateway is reached by, such as proxy.example or proxy.example:8443, received ${quote(text)}`,
  )
}

function parseAuthority(text: string): Authority | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^[\]:/?#@\s]+))(?::(\d{1,5}))?$/i.exec(text)
  if (match === null) return undefined
  const [, address6, other, port] = match
  const name = (address6 ?? other ?? '').toLowerCase()
  return { name, ...(port !== undefined && { port: Number(port) }) }
}

/** As browsers write it: without the port that is the scheme's default. */
function originOf(scheme: keyof typeof DEFAULT_PORTS, { name, port }: Authority): string {
  const shown = port === undefined || port === DEFAULT_PORTS[scheme] ? '' : `:${port}`
  return `${scheme}://${bracketed(name)}${shown}`
}

/** The URL of the gateway, for people and for owner.json. */
export function urlOf(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${bracketed(reached)}:${port}`
}

function bracketed(name: string): string {
  return isIP(name) === 6 ? `[${name}]` : name
}
