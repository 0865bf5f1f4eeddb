/**
 * Who may talk to the gateway. Whoever gets past this file can run commands on the machine.
 *
 * G1  nothing of a request but its line and headers is read before these checks have passed.
 * G2  the Host must be an address that the gateway is reached by: a name that an attacker's DNS points here is refused.
 * G3  an Origin, where there is one, must be the gateway's own at that Host: pages of other sites (`null` too) are refused, whatever they
 *     know. There are no CORS headers, so a preflight never succeeds.
 * G4  the token is compared in a time that says nothing about it.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'
import type { GatewayEnv } from './context.ts'

export interface AddressCheck {
  /** The origins of the gateway's own pages at a Host, or undefined where it is not reached by that Host. */
  originsAt: (host: string) => readonly string[] | undefined
}

/** G2 and G3. Throws `forbidden`. */
export function checkAddress({ originsAt }: AddressCheck): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const host = hostOf(c)
    const origins = originsAt(host)
    if (origins === undefined) {
      throw new AgentryError(
        'forbidden',
        `expected an address of this gateway as Host, received ${quote(host)}`,
      )
    }
    const origin = c.req.header('origin')
    if (origin !== undefined && !origins.includes(origin.toLowerCase())) {
      throw new AgentryError(
        'forbidden',
        `expected no Origin but the gateway's own, received ${quote(origin)}`,
      )
    }
    await next()
  }
}

/** Where the request is a whole URL the Host beside it does not count (RFC 9112, 3.2.2). */
function hostOf(c: Context<GatewayEnv>): string {
  const isWhole = /^https?:/i.test(c.env?.incoming?.url ?? '')
  const header = isWhole ? undefined : c.req.header('host')
  return header ?? new URL(c.req.url).host
}

/** G4, on every path but `openPaths` (exact, or as a prefix where they end in a slash). Throws `unauthorized`. */
export function checkToken(token: () => string, openPaths: readonly string[]): MiddlewareHandler<GatewayEnv> {
  const isOpen = (path: string): boolean =>
    openPaths.some((open) => (open.endsWith('/') ? path.startsWith(open) : path === open))
  let last = { token: '', digest: digest('') }
  const expectedDigest = (): Buffer => {
    const now = token()
    if (now !== last.token) last = { token: now, digest: digest(now) }
    return last.digest
  }
  return async (c, next) => {
    if (!isOpen(c.req.path)) {
      const [, given] = /^Bearer +([\x21-\x7e]{1,1024})$/i.exec(c.req.header('authorization') ?? '') ?? []
      if (given === undefined) {
        throw new AgentryError('unauthorized', 'expected an Authorization header with a bearer token')
      }
      if (!timingSafeEqual(digest(given), expectedDigest())) {
        throw new AgentryError('unauthorized', 'expected the token of this gateway, received another one')
      }
      c.env?.onAdmitted?.(c.env)
    }
    await next()
  }
}

/** Hashes have one length, which is what timingSafeEqual needs, and nothing of the token shows in when they differ. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
