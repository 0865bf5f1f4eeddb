/** A real browser, driven by the protocol of its developer tools (https://chromedevtools.github.io/devtools-protocol/). */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from '../fakes/until.ts'

/** The command of a Chromium on this machine, or undefined. */
export function findChromium(): string | undefined {
  return ['chromium', 'chromium-browser', 'google-chrome'].find((command) => {
    try {
      execFileSync(command, ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

export interface Page {
  /** The URLs of all requests of the page. */
  readonly requests: readonly string[]
  /** What the page complained of: errors of scripts, refusals by its policy, requests that failed. */
  readonly complaints: readonly string[]
  /** The value of an expression in the page, which must be JSON. */
  evaluate(expression: string): Promise<unknown>
  /** Waits for the first element of this selector and clicks it. */
  click(selector: string): Promise<void>
  /** Waits for the element, and types into it as a keyboard does. */
  type(selector: string, text: string): Promise<void>
  /** Waits for the element; resolves with its text. */
  textOf(selector: string): Promise<string>
  close(): Promise<void>
}

interface Message {
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
}

/** Opens a page in a browser of its own, without a window. */
export async function openPage(command: string, url: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'agentry-browser-'))
  // Root has no sandbox; what is opened is our own page.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0']
  const child = spawn(command, [...flags, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const endpoint = await findEndpoint(child.stderr)
  const target = await fetch(`http://${new URL(endpoint).host}/json/new?about:blank`, { method: 'PUT' })
  const { webSocketDebuggerUrl } = (await target.json()) as { webSocketDebuggerUrl: string }
  const socket = new WebSocket(webSocketDebuggerUrl)
  await once(socket, 'open')

  const requests: string[] = []
  const complaints: string[] = []
  const waiting = new Map<number, (result: Record<string, unknown>) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, method, params = {}, result = {} } = JSON.parse(String(data)) as Message
    if (id !== undefined) waiting.get(id)?.(result)
    if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url)
    if (isComplaint(method, params)) complaints.push(JSON.stringify(params))
  })
  let sent = 0
  const send = async (
    method: string,
    params: Record<string, unknown> = {},
  ): Promise<Record<string, unknown>> => {
    sent += 1
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>()
    waiting.set(sent, resolve)
    socket.send(JSON.stringify({ id: sent, method, params }))
    return promise
  }
  for (const domain of ['Network', 'Log', 'Runtime', 'Page']) await send(`${domain}.enable`)
  await send('Page.navigate', { url })

  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await send('Runtime.evaluate', { expression, returnByValue: true })
    return (result as { value?: unknown } | undefined)?.value
  }
  /** Runs `action`, an expression on `element`, as soon as there is one. */
  const onElement = async (selector: string, action: string): Promise<unknown> => {
    const chosen = `document.querySelector(${JSON.stringify(selector)})`
    await until(selector, async () => (await evaluate(`${chosen} !== null`)) === true)
    return evaluate(`{ const element = ${chosen}; ${action} }`)
  }
  return {
    requests,
    complaints,
    evaluate,
    click: async (selector) => void (await onElement(selector, 'element.click()')),
    async type(selector, text) {
      await onElement(selector, 'element.focus(); element.select()')
      await send('Input.insertText', { text })
    },
    textOf: async (selector) => String(await onElement(selector, 'element.innerText')),
    async close() {
      socket.close()
      child.kill('SIGKILL')
      await once(child, 'exit')
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function isComplaint(method: string | undefined, params: Record<string, unknown>): boolean {
  switch (method) {
    case 'Runtime.exceptionThrown':
      return true
    case 'Runtime.consoleAPICalled':
      return params['type'] === 'error'
    case 'Log.entryAdded':
      return (params['entry'] as { level: string }).level === 'error'
    default:
      return false
  }
}

/** The browser says where it listens. */
async function findEndpoint(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface(stderr)) {
    const [, endpoint] = /^DevTools listening on (ws:\S+)/.exec(line) ?? []
    if (endpoint !== undefined) return endpoint
  }
  throw new Error('the browser ended before it listened')
}
