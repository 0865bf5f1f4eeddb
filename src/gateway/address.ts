/** Where the gateway may listen, and by which names it is reached there. Pure. */
import { isIP } from 'node:net'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'

export interface Exposure {
  host: string
  /** The token was set by who runs the gateway, who therefore knows that there is one. */
  tokenIsSet: boolean
  tls: boolean
  /** Said by name: requests and the token in them may be read on the way. */
  insecureHttp: boolean
}

/** Throws `insecure_bind` for an address beyond this machine without what makes that safe. */
export function assertBindable({ host, tokenIsSet, tls, insecureHttp }: Exposure): void {
  if (isLoopback(host)) return
  const missing = [
    ...(tokenIsSet ? [] : ['a token of your own in AGENTRY_TOKEN']),
    ...(tls || insecureHttp ? [] : ['--tls-cert and --tls-key (or --insecure-http)']),
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

/**
 * True for a Host header by which a gateway at `host` and `port` is reached. Bound to all addresses of the machine it has any of them
 * (a name that an attacker's DNS points here is no address); names beside that have to be given.
 */
export function ownHosts(
  host: string,
  port: number,
  scheme: 'http' | 'https',
  names: readonly string[] = [],
): (header: string) => boolean {
  const isDefaultPort = port === (scheme === 'http' ? 80 : 443)
  const known = new Set([host, ...names, ...(isLoopback(host) ? ['127.0.0.1', 'localhost', '::1'] : [])])
  const isWildcard = host === '0.0.0.0' || host === '::'
  return (header) => {
    const match = /^(?:\[([0-9a-f:.]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/i.exec(header)
    if (match === null) return false
    const [, address6, other, portText] = match
    const name = (address6 ?? other ?? '').toLowerCase()
    if (portText === undefined ? !isDefaultPort : Number(portText) !== port) return false
    return known.has(name) || (isWildcard && isIP(name) !== 0)
  }
}

/** The URL of the gateway, for people and for owner.json. */
export function urlOf(host: string, port: number, scheme: 'http' | 'https'): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${scheme}://${isIP(reached) === 6 ? `[${reached}]` : reached}:${port}`
}
