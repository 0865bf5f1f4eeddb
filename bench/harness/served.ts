/** Servers in processes of their own, so that what is measured is not the client's process too. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Served extends AsyncDisposable {
  readonly url: string
}

/** Of every request: the bare server takes no notice. */
const TOKEN = randomBytes(32).toString('base64url')
export const HEADERS: Readonly<Record<'authorization' | 'content-type', string>> = {
  authorization: `Bearer ${TOKEN}`,
  'content-type': 'application/json',
}

/** `agentry serve` of a data directory, from the built files. Its first agent is there as well. */
export async function serveAgentry(data: string): Promise<Served> {
  const bin = new URL('../../dist/src/cli/bin.js', import.meta.url)
  return serve(bin, ['serve', '--data', data, '--port', '0', '--json', '--log-level', 'warn'], dirname(data))
}

/** What HTTP costs by itself: see bare-hono.ts. */
export async function serveBare(): Promise<Served> {
  return serve(new URL('../raw/bare-hono.ts', import.meta.url), [], process.cwd())
}

/** A model that answers at once: see model-server.ts. */
export async function serveModel(): Promise<Served> {
  return serve(new URL('../raw/model-server.ts', import.meta.url), [], process.cwd())
}

/** Starts a module that prints a line of JSON with its `url` when it listens, and ends by SIGTERM. */
async function serve(module: URL, args: readonly string[], cwd: string): Promise<Served> {
  const child = spawn(process.execPath, [fileURLToPath(module), ...args], {
    cwd,
    env: { ...process.env, AGENTRY_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface(child.stdout)
  const first: unknown = await Promise.race([once(lines, 'line'), exited])
  const url = Array.isArray(first) && typeof first[0] === 'string' ? urlIn(first[0]) : undefined
  if (url === undefined) throw new Error(`expected ${module.pathname} to print its url`)
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function urlIn(line: string): string | undefined {
  const value: unknown = JSON.parse(line)
  const url = typeof value === 'object' && value !== null && 'url' in value ? value.url : undefined
  return typeof url === 'string' ? url : undefined
}

/** The text of a successful answer. One request after the other keeps one connection. */
export async function ask(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { ...init, headers: HEADERS })
  const text = await response.text()
  if (!response.ok) throw new Error(`expected success from ${url}, received ${response.status} ${text}`)
  return text
}
