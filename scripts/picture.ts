/**
 * `npm run picture`: the real dashboard at work in a terminal, as docs/dashboard.svg (its screen) and docs/dashboard.cast (all of it, for
 * asciinema). In /tmp/demo, which must not be there before and is not there afterwards: paths are in the picture.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openTerminal, type Terminal } from '../test/terminal/terminal.ts'
import { asciicast } from './asciicast.ts'
import { setScene } from './picture-scene.ts'
import { screenSvg } from './screen-svg.ts'

const FOLDER = '/tmp/demo'
const TITLE = 'agentry'
const COLUMNS = 120
const ROWS = 32
/** As a person types. */
const KEY_MS = 40
const LOOK_MS = 1_200

const root = resolve(import.meta.dirname, '..')
await setScene(FOLDER, Date.now())
try {
  await using terminal = openTerminal({
    command: process.execPath,
    args: [join(root, 'dist/src/cli/bin.js')],
    cwd: FOLDER,
    env: { PATH: process.env['PATH'], HOME: FOLDER, TZ: 'UTC' },
    columns: COLUMNS,
    rows: ROWS,
  })
  await play(terminal)
  writeFileSync(join(root, 'docs/dashboard.svg'), picture(terminal))
  writeFileSync(join(root, 'docs/dashboard.cast'), recording(terminal))
  console.log(terminal.text())
  terminal.press('ctrl+d')
  terminal.type('y')
  await terminal.exited
} finally {
  rmSync(FOLDER, { recursive: true })
}

/** The scene. It ends with ops in the middle of a release, index failed, and news of coder's that nobody has looked at. */
async function play(terminal: Terminal): Promise<void> {
  await terminal.waitFor('● up')
  await sleep(LOOK_MS)
  await enter(terminal, '/sessions')
  await sleep(LOOK_MS)
  terminal.press('i')
  await enter(terminal, '/agent index')
  await enter(terminal, 'rebuild the search index')
  await terminal.waitFor('failed')
  await enter(terminal, '/agent coder')
  await enter(terminal, 'node --test')
  await terminal.waitFor('duration_ms')
  await sleep(LOOK_MS)
  await enter(terminal, '/agent reviewer')
  await enter(terminal, 'grep -rn TODO .')
  await terminal.waitFor('above the total')
  await sleep(LOOK_MS)
  await enter(terminal, 'for file in *.js; do wc -l $file; sleep 2; done; sleep 30')
  await enter(terminal, '/agent coder')
  await enter(terminal, 'sleep 3; node --check cart.js')
  await enter(terminal, '/agent ops')
  await enter(terminal, 'sh release.sh')
  await terminal.waitFor('web-2 healthy')
}

async function enter(terminal: Terminal, line: string): Promise<void> {
  for (const key of line) {
    terminal.type(key)
    await sleep(KEY_MS)
  }
  await terminal.waitFor(line)
  terminal.press('enter')
  await sleep(KEY_MS)
}

function picture({ emulator }: Terminal): string {
  const rows = Array.from({ length: ROWS }, (_, y) =>
    Array.from({ length: COLUMNS }, (_, x) => emulator.cellAt(x, y)),
  )
  const { x, y, visible } = emulator.cursor
  return screenSvg({ title: TITLE, rows, ...(visible && { cursor: { x, y } }) })
}

function recording({ pieces }: Terminal): string {
  return asciicast({ title: TITLE, columns: COLUMNS, rows: ROWS, pieces })
}
