/**
 * An MCP server that speaks the protocol by hand and misbehaves as it is told: `node rogue-server.ts MODE`.
 *   deaf          never answers
 *   garbage       prints lines that are no JSON for ever, before it answers anything
 *   no-messages   prints JSON that is no message for ever
 *   long-line     prints one line without end
 *   chatty        a greeting, then works
 *   pages         lists its tools one a page
 *   endless-pages lists for ever
 *   refuse        refuses to start, in two million words
 *   named         works, and has a tool with a name of a million letters
 *   exit          ends at once with a last word
 *   stubborn      works, and does not end at SIGTERM or at the end of its input
 *   tools         works; notes what it saw in the file that SEEN names
 */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

interface Call {
  name: string
  arguments?: { text?: string }
  _meta?: { progressToken: number }
}

type Request = { id: number } & (
  | { method: 'initialize'; params: { protocolVersion: string } }
  | { method: 'tools/list'; params?: { cursor?: string } }
  | { method: 'tools/call'; params: Call }
  | { method: 'notifications/cancelled'; params: { reason: string } }
)

const mode = process.argv[2] ?? 'tools'
const names = [
  'echo',
  'die',
  'hang',
  'env',
  'grow',
  'spawn',
  'flood',
  'unreadable',
  'progress',
  'numb',
  'big',
  'refuse',
]
/** Two million bytes. */
const BIG = 'no '.repeat(700_000)
const inputSchema = { type: 'object', properties: { text: { type: 'string' } } }

function seen(line: string): void {
  const file = process.env['SEEN']
  if (file !== undefined) appendFileSync(file, `${line}\n`)
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

function sendText(id: number, text: string): void {
  send({ id, result: { content: [{ type: 'text', text }] } })
}

/** Writes it as fast as it is read, for ever. */
function pour(text: string): void {
  process.stdout.write(text, () => pour(text))
}

seen(`start ${process.pid}`)
if (mode === 'exit') {
  process.stderr.write('no \u001b[31mlicence\u001b[0m found\n')
  process.exit(3)
}
if (mode === 'garbage') pour('not even json\n'.repeat(1000))
if (mode === 'no-messages') pour('{"not": "mcp"}\n'.repeat(1000))
if (mode === 'long-line') pour('x'.repeat(65536))
if (mode === 'chatty') process.stdout.write('Welcome!\n{"a":1}\n\n')
if (mode === 'stubborn') {
  process.on('SIGTERM', () => {})
  setInterval(() => {}, 1000)
}

function list(id: number, cursor: string | undefined): void {
  if (mode === 'endless-pages') return send({ id, result: { tools: [], nextCursor: 'again' } })
  const tools = names.map((name) => ({ name, inputSchema }))
  if (mode === 'named') tools.push({ name: 'n'.repeat(1_000_000), inputSchema })
  if (mode !== 'pages') return send({ id, result: { tools } })
  const at = Number(cursor ?? 0)
  const nextCursor = at + 1 < tools.length ? String(at + 1) : undefined
  return send({ id, result: { tools: tools.slice(at, at + 1), nextCursor } })
}

function call(id: number, { name, arguments: input, _meta: meta }: Call): void {
  switch (name) {
    case 'echo':
      return sendText(id, `${process.pid} ${input?.text ?? ''}`)
    case 'die':
      process.kill(process.pid, 'SIGKILL')
      return
    case 'hang':
      return seen('hang')
    case 'env':
      return sendText(id, JSON.stringify(process.env))
    case 'grow':
      names.push('grown')
      send({ method: 'notifications/tools/list_changed' })
      return sendText(id, 'grown')
    case 'spawn': {
      const inGroup = spawn('sleep', ['600'], { stdio: 'ignore' })
      const away = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
      return sendText(id, `${inGroup.pid} ${away.pid}`)
    }
    case 'flood': {
      const params = { level: 'info', data: 'x' }
      return pour(
        `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })}\n`.repeat(100),
      )
    }
    case 'unreadable':
      return send({ id, result: { content: 'not a list' } })
    case 'big':
      return sendText(id, `begin ${BIG} end`)
    case 'refuse':
      return send({ id, error: { code: -32603, message: `begin ${BIG} end` } })
    case 'numb':
      // Reads nothing any more, so that what it is sent piles up.
      process.stdin.removeAllListeners('data').pause()
      return sendText(id, 'numb')
    case 'progress': {
      const params = { progressToken: meta?.progressToken, progress: 1, message: 'half way' }
      send({ method: 'notifications/progress', params })
      // In a write of its own: the two are read one after the other.
      setTimeout(() => sendText(id, 'done'), 50)
      return
    }
    default:
      return send({ id, error: { code: -32602, message: `no tool ${name}` } })
  }
}

const result = { capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'rogue', version: '1' } }

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (['deaf', 'garbage', 'no-messages', 'long-line'].includes(mode)) return
  const { id, ...request } = JSON.parse(line) as Request
  switch (request.method) {
    case 'initialize':
      if (mode === 'refuse') return send({ id, error: { code: -32603, message: `begin ${BIG} end` } })
      return send({ id, result: { ...result, protocolVersion: request.params.protocolVersion } })
    case 'tools/list':
      seen('list')
      return list(id, request.params?.cursor)
    case 'tools/call':
      seen(`call ${request.params.name}`)
      return call(id, request.params)
    case 'notifications/cancelled':
      return seen(`cancelled: ${request.params.reason}`)
  }
})
