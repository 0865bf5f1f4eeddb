/** `agentry serve` as users run it: the built one, at a port of its own. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { startCli, temporaryFolder } from './built-cli.ts'

export interface Answer<T> {
  status: number
  body: T
}

export interface Served {
  cwd: string
  child: ChildProcessWithoutNullStreams
  url: string
  port: number
  /** Empty where the token was set: there is none. */
  tokenFile: string
  token: string
  /** What the process has written to stderr. */
  log(): string
  /** Asks with the token; expects JSON. */
  ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>>
  stop(): Promise<number | null>
}

export interface ServeRun {
  cwd?: string
  args?: string[]
  /** Sets the token of the gateway. Default: that of its file. */
  token?: string
  nodeOptions?: string[]
  /** Default: debug. */
  logLevel?: 'debug' | 'warn'
  /** Gets the process at once: for who ends it before it serves. */
  onStart?: (child: ChildProcessWithoutNullStreams) => void
}

/** Resolves when it serves. Throws where it ends before that, with what it said. */
export async function startServe(options: ServeRun = {}): Promise<Served> {
  const { cwd = temporaryFolder(), args = ['--port', '0'], logLevel = 'debug', onStart } = options
  const child = startCli(['--json', 'serve', '--log-level', logLevel, ...args], {
    cwd,
    ...(options.nodeOptions && { nodeOptions: options.nodeOptions }),
    ...(options.token !== undefined && { env: { AGENTRY_TOKEN: options.token } }),
  })
  onStart?.(child)
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line') as Promise<[string]>,
    once(child, 'exit').then(() => {
      throw new Error(`ended: ${log}`)
    }),
  ])
  const { url, tokenFile = '' } = JSON.parse(line[0]) as { url: string; tokenFile?: string }
  const token = options.token ?? readFileSync(tokenFile, 'utf8').trim()
  return {
    cwd,
    child,
    url,
    port: Number(new URL(url).port),
    tokenFile,
    token,
    log: () => log,
    async ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: (await response.json()) as T }
    },
    async stop() {
      const exit = once(child, 'exit') as Promise<[number | null]>
      child.kill('SIGTERM')
      return (await exit)[0]
    },
  }
}

/** One request, byte for byte; resolves with all that came back. */
export async function rawRequest(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  socket.setTimeout(5_000, () => socket.destroy())
  return text(socket)
}
