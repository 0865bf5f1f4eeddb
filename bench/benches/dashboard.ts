import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Terminal } from '../../test/terminal/terminal.ts'
import { type Bench, pairedRow, plainRow, type Row } from '../harness/bench.ts'
import {
  agentry,
  attachMeasured,
  cpuMs,
  inTerminal,
  residentBytes,
  startServing,
} from '../harness/dashboards.ts'
import { drawnFrames } from '../harness/frames.ts'
import { measurePairs, timeOnce } from '../harness/rounds.ts'
import { percentile } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'

const STARTS = 9
const AGENTS = 12
const KEYS = 200
const KEY_PAUSE_MS = 50
const IDLE_MS = 20_000
const STREAM_MS = 120_000
const HOUR_MS = 3_600_000
/** What is taken up only once: caches that fill, code that is compiled. */
const WARM_UP_MS = 20_000

const LIBRARIES = fileURLToPath(new URL('../raw/screen-libraries.ts', import.meta.url))
const STREAMING = fileURLToPath(new URL('../behaviors/streaming.ts', import.meta.url))

export const dashboard: Bench = {
  name: 'dashboard',
  title: `The dashboard in a pseudo terminal of 120 x 32, the emulator in the process that measures. First frame: from the start of the process to "Agents" on the screen. Raw: a process that loads Ink, React and the client and says so. Connected: from the start in an empty directory to "up" on the screen. Raw: the same process, or \`agentry serve\` until it serves, whichever is later. Key to frame: a letter typed, until it is on the screen, while ${AGENTS} agents stream 30 lines a second each. Bytes: what was written to the terminal against the text of the rows that changed, of each frame.`,
  notMeasured: `npm itself (\`npm start\` is about 0.3 s more); terminals that are slower than the emulator; an hour in full: its heap is what ${STREAM_MS / 1_000} s added to it without garbage, extrapolated.`,
  run: async () => [...(await starts()), ...(await idle()), ...(await streaming())],
}

async function starts(): Promise<Row[]> {
  return withDirectory(async (directory) => {
    const served = join(directory, 'served')
    mkdirSync(served)
    const serving = await startServing(served)
    const loadMs = (): Promise<number> => untilShown(inTerminal(directory, [LIBRARIES]), 'loaded')
    let number = 0
    const emptied = (): string => {
      number += 1
      const empty = join(directory, `empty-${number}`)
      mkdirSync(empty)
      return empty
    }
    const serveMs = async (): Promise<number> => {
      const start = performance.now()
      const started = await startServing(emptied())
      const tookMs = performance.now() - start
      await started.close()
      return tookMs
    }
    try {
      const frames = await measurePairs(STARTS, () => untilShown(agentry(served, 'attach'), 'Agents'), loadMs)
      const connected = await measurePairs(
        STARTS,
        () => untilShown(agentry(emptied(), '--port', '0'), '● up'),
        async () => Math.max(await loadMs(), await serveMs()),
      )
      const samples = `${STARTS} pairs of starts`
      return [
        pairedRow('first frame of `attach`', 'ms', frames, samples, { most: 1.5 }),
        pairedRow('`agentry` in an empty directory, connected', 'ms', connected, samples, { most: 1.5 }),
      ]
    } finally {
      await serving.close()
    }
  })
}

async function idle(): Promise<Row[]> {
  return withTeam(async (terminal) => {
    await sleep(3_000)
    const beforeMs = cpuMs(terminal.pid)
    const tookMs = await timeOnce(() => sleep(IDLE_MS))
    const percent = ((cpuMs(terminal.pid) - beforeMs) / tookMs) * 100
    return [
      plainRow('CPU of an idle dashboard', '%', [percent], `${IDLE_MS / 1_000} s, ${AGENTS} idle agents`, 1),
    ]
  })
}

async function streaming(): Promise<Row[]> {
  return withTeam(async (terminal, heapBytes) => {
    for (let number = 1; number <= AGENTS; number += 1) {
      terminal.type(`/agent agent-${number}`)
      await terminal.waitFor(`❯ /agent agent-${number}`)
      terminal.press('enter')
      await terminal.waitFor(`agent-${number} ❯`)
      terminal.type('go')
      await terminal.waitFor('❯ go')
      terminal.press('enter')
      await terminal.waitFor(/line \d+:/)
    }
    await terminal.waitFor('line 100:')
    const keysMs: number[] = []
    for (let key = 0; key < KEYS; key += 1) {
      await sleep(KEY_PAUSE_MS * (0.5 + Math.random()))
      keysMs.push(await keyMs(terminal, 'a'.repeat((key % 10) + 1)))
      if (key % 10 < 9) continue
      terminal.press('ctrl+c')
      await typed(terminal, '')
    }
    await sleep(WARM_UP_MS)
    const heapBefore = await heapBytes()
    const from = terminal.pieces.length
    const beforeMs = cpuMs(terminal.pid)
    const tookMs = await timeOnce(() => sleep(STREAM_MS))
    const percent = ((cpuMs(terminal.pid) - beforeMs) / tookMs) * 100
    const residentMb = residentBytes(terminal.pid) / 1e6
    const heapAfter = await heapBytes()
    const frames = await drawnFrames(terminal, from)
    const seconds = `${STREAM_MS / 1_000} s of ${AGENTS} agents that stream`
    return [
      plainRow('key to frame, median', 'ms', [percentile(keysMs.toSorted(byValue), 0.5)], `${KEYS} keys`),
      plainRow('key to frame, p95', 'ms', [percentile(keysMs.toSorted(byValue), 0.95)], `${KEYS} keys`, 50),
      plainRow('CPU of a dashboard under streaming', '%', [percent], seconds),
      plainRow('memory of a dashboard under streaming, resident', 'MB', [residentMb], seconds),
      plainRow('memory of a dashboard under streaming, heap', 'MB', [heapAfter / 1e6], seconds),
      plainRow(
        'heap that an hour of streaming would add',
        'MB',
        [(((heapAfter - heapBefore) / 1e6) * HOUR_MS) / STREAM_MS],
        seconds,
      ),
      pairedRow('bytes of a frame, against the text of the rows that changed', 'KB', frames, seconds),
    ]
  })
}

/** A dashboard on a team of streaming agents that wait for a message, everything on the screen. */
async function withTeam(
  use: (terminal: Terminal, heapBytes: () => Promise<number>) => Promise<Row[]>,
): Promise<Row[]> {
  return withDirectory(async (directory) => {
    const agents = Array.from(
      { length: AGENTS },
      (_, index) => `  - { id: agent-${index + 1}, behavior: ${JSON.stringify(STREAMING)} }\n`,
    )
    writeFileSync(join(directory, 'agentry.yaml'), `agents:\n${agents.join('')}`)
    const serving = await startServing(directory)
    try {
      const { terminal: attached, heapBytes } = attachMeasured(directory)
      await using terminal = attached
      await terminal.waitFor(`${AGENTS} agents`)
      return await use(terminal, heapBytes)
    } finally {
      await serving.close()
    }
  })
}

async function untilShown(terminal: Terminal, text: string): Promise<number> {
  const shownMs = await timeOnce(() => terminal.waitFor(text))
  terminal.kill('SIGTERM')
  await terminal.exited
  await terminal.close()
  return shownMs
}

/** From the last letter of `text` being typed to the frame that has it. */
function keyMs(terminal: Terminal, text: string): Promise<number> {
  return timeOnce(() => {
    terminal.type(text.slice(-1))
    return typed(terminal, text)
  })
}

/** The input line is the last but one. */
function typed(terminal: Terminal, text: string): Promise<void> {
  const line = `❯ ${text}`.trimEnd()
  return terminal.waitFor(() => terminal.screen().at(-2)?.endsWith(line) === true, line)
}

function byValue(a: number, b: number): number {
  return a - b
}
