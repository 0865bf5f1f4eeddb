/** The folder that the picture of the dashboard is taken in: a small project, a team, and what the team did on the days before. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fold, foldFirst } from '../src/core/fold.ts'
import { createId } from '../src/core/ids.ts'
import type { RecordBody, SessionRecord } from '../src/core/record.ts'
import type { SessionStatus } from '../src/core/session-state.ts'
import { openDirectory } from '../src/store/directory.ts'
import { createFileStore } from '../src/store/file-store.ts'

const CONFIG = `agents:
  - { id: ops, behavior: shell, workingDir: . }
  - { id: coder, behavior: shell, workingDir: ./shop }
  - { id: reviewer, behavior: shell, workingDir: ./shop }
  - id: index
    behavior: ./indexer.ts
    limits: { memoryMb: 96 }
    restart: { maxRestarts: 0 }
  - { id: notes, behavior: echo }
`

const FILES: Readonly<Record<string, string>> = {
  'shop/package.json': '{ "name": "shop", "version": "2.4.0", "type": "module" }\n',
  'shop/cart.js': `export const total = (lines) => lines.reduce((sum, { price, count }) => sum + price * count, 0)

// TODO: what does a voucher above the total give back?
export const withVoucher = (sum, voucher) => Math.max(0, sum - voucher)
`,
  'shop/cart.test.js': `import { test } from 'node:test'
import assert from 'node:assert/strict'
import { total, withVoucher } from './cart.js'

test('an empty cart costs nothing', () => assert.equal(total([]), 0))
test('counts are multiplied', () => assert.equal(total([{ price: 5, count: 3 }]), 15))
test('a voucher never makes a total negative', () => assert.equal(withVoucher(10, 25), 0))
`,
  'release.sh': `set -eu
step() { echo "==> $1"; shift; for line in "$@"; do sleep 0.5; echo "    $line"; done; }
step 'build shop 2.4.0' 'resolved 214 packages' 'bundled 38 modules, 412 KB'
step 'migrate staging' '0031_vouchers: 2 tables altered' '0032_backfill: 18420 rows'
step 'roll out' 'web-1 healthy' 'web-2 healthy' 'web-3 starting' 'web-3 healthy' 'web-4 starting' 'web-4 healthy'
step 'watch error rate' '0.02%' '0.01%' '0.02%' '0.01%' '0.01%' '0.01%' '0.01%' '0.01%' '0.01%' '0.01%' '0.01%' '0.01%'
`,
}

/** An agent whose code holds on to all it reads, as code does. */
const indexer = (behavior: string): string => `import { defineBehavior } from ${JSON.stringify(behavior)}

export default defineBehavior({
  async run(message, context) {
    const pages: number[][] = []
    for (let page = 1; ; page += 1) {
      pages.push(Array.from({ length: 50_000 }, (_, word) => page * word))
      if (page % 20 === 0) context.emit(\`indexed \${page * 100} pages\\n\`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  },
})
`

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A command, what it printed, and its exit code where that is not 0. */
type Turn = readonly [command: string, output: string, exitCode?: number]

interface Past {
  readonly agentId: string
  readonly name: string
  readonly status: SessionStatus
  readonly ageMs: number
  readonly turns: readonly Turn[]
}

const PAST: readonly Past[] = [
  {
    agentId: 'ops',
    name: 'tls certificates',
    status: 'terminated',
    ageMs: 6 * DAY_MS,
    turns: calls(14),
  },
  {
    agentId: 'reviewer',
    name: 'dependency audit',
    status: 'terminated',
    ageMs: 3 * DAY_MS,
    turns: calls(22),
  },
  { agentId: 'coder', name: 'flaky upload test', status: 'suspended', ageMs: 2 * DAY_MS, turns: calls(31) },
  { agentId: 'notes', name: 'decisions', status: 'suspended', ageMs: 26 * HOUR_MS, turns: calls(9) },
  { agentId: 'ops', name: 'disk full on web-3', status: 'suspended', ageMs: 5 * HOUR_MS, turns: calls(17) },
  { agentId: 'index', name: 'search index', status: 'active', ageMs: 3 * HOUR_MS, turns: calls(4) },
  {
    agentId: 'reviewer',
    name: 'review of vouchers',
    status: 'active',
    ageMs: 47 * MINUTE_MS,
    turns: calls(6),
  },
  { agentId: 'coder', name: 'vouchers', status: 'active', ageMs: 38 * MINUTE_MS, turns: calls(12) },
  {
    agentId: 'ops',
    name: 'release 2.4',
    status: 'active',
    ageMs: 12 * MINUTE_MS,
    turns: [
      ...calls(8),
      ['git tag --list | tail -2', 'v2.4.0-rc1\nv2.4.0-rc2\n'],
      [
        'sh release.sh',
        '==> build shop 2.4.0\n    resolved 214 packages\n==> migrate staging\n    0031_vouchers: lock not available\n',
        1,
      ],
      ['curl -s https://staging.shop.example/health', '{"status":"ok","version":"2.3.1","locks":0}\n'],
    ],
  },
]

/** Makes the folder. Throws where it is there already. */
export async function setScene(folder: string, nowMs: number): Promise<void> {
  mkdirSync(folder)
  mkdirSync(join(folder, 'shop'))
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(folder, path), text)
  writeFileSync(join(folder, 'agentry.yaml'), CONFIG)
  const behavior = new URL('../dist/src/behavior.js', import.meta.url)
  writeFileSync(join(folder, 'indexer.ts'), indexer(behavior.href))
  await writeSessions(join(folder, 'sessions'), folder, nowMs)
}

async function writeSessions(directory: string, folder: string, nowMs: number): Promise<void> {
  const owned = await openDirectory({ directory })
  const store = createFileStore({ directory, fsync: 'interval' })
  for (const [index, past] of PAST.entries()) {
    const claim = owned.claims.claim(past.agentId)
    const sessionId = createId()
    const records = recordsOf(past, sessionId, claim.token, index + 1, folder, nowMs)
    const [first, ...rest] = records
    if (first === undefined) continue
    await store.append(claim, sessionId, 0, [first])
    const journalOffset = await store.append(claim, sessionId, 1, rest)
    await store.snapshot(claim, { ...rest.reduce(fold, foldFirst(first)), journalOffset })
    await store.release(sessionId)
    owned.claims.release(claim)
  }
  owned.close()
}

function recordsOf(
  { agentId, name, status, ageMs, turns }: Past,
  sessionId: string,
  epoch: number,
  activation: number,
  folder: string,
  nowMs: number,
): SessionRecord[] {
  const inShop = agentId === 'coder' || agentId === 'reviewer'
  const workingDir = inShop ? join(folder, 'shop') : folder
  const created: RecordBody = {
    type: 'session.created',
    sessionId,
    agentId,
    name,
    status,
    activation,
    workingDir,
    description: '',
    prompt: '',
    vars: {},
    metadata: {},
  }
  const bodies = [created, ...turns.flatMap((turn) => turnOf(turn, workingDir))]
  return bodies.map((body, index) => ({
    seq: index + 1,
    epoch,
    at: new Date(nowMs - ageMs - (bodies.length - index) * 500).toISOString(),
    ...body,
  }))
}

function turnOf([command, output, exitCode = 0]: Turn, workingDir: string): RecordBody[] {
  const turnId = createId()
  const toolCallId = createId()
  return [
    { type: 'message.accepted', turnId, taskId: turnId, input: command },
    { type: 'turn.started', turnId, attempt: 1 },
    { type: 'tool.started', turnId, toolCallId, name: 'shell', input: { command, workingDir } },
    { type: 'tool.finished', turnId, toolCallId, outcome: 'ok', content: output, exitCode },
    { type: 'turn.finished', turnId, status: 'completed', exitCode },
  ]
}

function calls(count: number): Turn[] {
  return Array.from({ length: count }, () => ['git status --short', ' M cart.js\n'])
}
