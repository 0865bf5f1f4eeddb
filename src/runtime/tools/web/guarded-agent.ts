/**
 * Connections to public addresses only. The address is looked at where the connection is made: a name that is looked up beforehand
 * can stand for another address a moment later.
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { AgentryError } from '../../../errors.ts'

export type Resolve = (
  hostname: string,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

export interface GuardOptions {
  /** Judges each address of a name, and each one connected to. */
  isAllowed: (address: string) => boolean
  /** All addresses of a name. Default: the system's. */
  resolve?: Resolve | undefined
  connectMs: number
}

/** The caller destroys it. What is refused fails with `path_refused` as the cause. */
export function createGuardedAgent({ isAllowed, resolve = resolveBySystem, connectMs }: GuardOptions): Agent {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const [first] = addresses
      const bad = addresses.find(({ address }) => !isAllowed(address))
      if (bad !== undefined) return callback(refusedAddress(hostname, bad.address), [])
      if (first === undefined) return callback(new Error(`${hostname} has no address`), [])
      if (options.all === true) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
  }
  const connect = buildConnector({ timeout: connectMs, allowH2: false, lookup })
  return new Agent({
    // Nothing is looked up for an address: it is judged here. What a socket is connected to is judged as well.
    connect(options, callback) {
      const host = options.hostname.replace(/^\[|\]$/g, '')
      if (isIP(host) !== 0 && !isAllowed(host)) return callback(refusedAddress(host, host), null)
      return connect(options, (error, socket) => {
        if (error !== null) return callback(error, null)
        const { remoteAddress = 'nothing' } = socket
        if (isAllowed(remoteAddress)) return callback(null, socket)
        socket.destroy()
        return callback(refusedAddress(host, remoteAddress), null)
      })
    },
  })
}

function refusedAddress(host: string, address: string): AgentryError {
  const what = host === address ? address : `${host} (${address})`
  return new AgentryError(
    'path_refused',
    `refused: ${what} is not an address of the open internet: private, local and metadata addresses are not fetched from`,
  )
}

function resolveBySystem(hostname: string, callback: Parameters<Resolve>[1]): void {
  systemLookup(hostname, { all: true }, callback)
}
