import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bareEnvironment } from '../../fakes/bare-environment.ts'
import { noTerminalHere, openTerminal, type Terminal } from '../../terminal/terminal.ts'

const MAIN = fileURLToPath(new URL('mounted-main.ts', import.meta.url))
const missing = noTerminalHere()
const reason = missing === undefined ? '' : ` (${missing})`

/** In a shell, so that what the program leaves of the terminal can be looked at. */
function mounted(onX = 'unmount', env: Record<string, string> = {}, rows = 12): Terminal {
  return openTerminal({
    command: 'bash',
    args: [
      '--norc',
      '-c',
      `echo before; "$NODE" "$MAIN" ${onX}; echo "code $?"; stty -a | grep -o '.icanon'; echo over`,
    ],
    env: bareEnvironment({ NODE: process.execPath, MAIN, ...env }),
    columns: 60,
    rows,
  })
}

async function ready(terminal: Terminal): Promise<void> {
  await terminal.waitFor(
    () => /^60x\d+ ━/.test(terminal.text()) && terminal.bracketedPaste,
    'the first frame',
  )
}

async function expectSane(terminal: Terminal): Promise<void> {
  await terminal.waitFor('over')
  expect(terminal.text()).toMatch(/^before$/m)
  expect(terminal.text()).toMatch(/^ icanon$/m)
  expect(terminal.text()).not.toContain('█')
  expect(terminal.alternateScreen).toBe(false)
  expect(terminal.bracketedPaste).toBe(false)
  expect(terminal.cursor.visible).toBe(true)
}

function expectWholeFrame(terminal: Terminal, input: string, columns = 60, rows = 12): void {
  const screen = terminal.screen()
  expect(screen[0]).toMatch(new RegExp(`^${columns}x${rows} ━+$`))
  expect(screen.slice(1, -2)).toEqual(Array.from({ length: rows - 3 }, (_, y) => `row ${y} █████`))
  expect(screen.slice(-2)).toEqual([input, 's'.repeat(columns)])
}

describe.skipIf(missing !== undefined)(`the dashboard on a terminal${reason}`, () => {
  test('fills the screen to the last row and column, the cursor where the user types', async () => {
    await using terminal = mounted()
    await ready(terminal)
    expectWholeFrame(terminal, '>')
    expect(terminal.alternateScreen).toBe(true)
    expect(terminal.cursor).toEqual({ x: 2, y: 10, visible: true })
  })

  test('hears keys and pastes, apart and in order', async () => {
    await using terminal = mounted()
    await ready(terminal)
    terminal.type('hi\r')
    terminal.press('shift+tab')
    terminal.paste('two\nlines')
    await terminal.waitFor('> h i enter shift+tab "two\\nlines"')
    terminal.press('esc')
    await terminal.waitFor('lines" esc')
  })

  test('draws in an environment that names a CI', async () => {
    await using terminal = mounted('unmount', { CI: 'true' })
    await ready(terminal)
    expectWholeFrame(terminal, '>')
  })

  test('has no colours where NO_COLOR is set', async () => {
    await using terminal = mounted('unmount', { NO_COLOR: '1' })
    await ready(terminal)
    expect(terminal.styleOf('█').foreground).toBe('default')
  })

  test('is plain words below each other for a screen reader', async () => {
    await using terminal = mounted('unmount', { INK_SCREEN_READER: 'true' })
    await terminal.waitFor('row 8')
    expect(terminal.text()).not.toContain('━')
    expect(terminal.styleOf('█').foreground).toBe('default')
  })

  test('writes only what changed', async () => {
    await using terminal = mounted()
    await ready(terminal)
    const before = terminal.bytesWritten
    terminal.press('a')
    await terminal.waitFor('> a')
    expect(terminal.bytesWritten - before).toBeLessThan(200)
  })

  test.each([
    [80, 20],
    [30, 12],
    [60, 6],
    [25, 7],
  ])('is whole again after a resize to %i x %i', async (columns, rows) => {
    await using terminal = mounted()
    await ready(terminal)
    terminal.resize(columns, rows)
    await terminal.waitFor(`${columns}x${rows}`)
    terminal.press('a')
    await terminal.waitFor('> a')
    expectWholeFrame(terminal, '> a', columns, rows)
  })

  test('is whole after something was said on the console', async () => {
    await using terminal = mounted('console')
    await ready(terminal)
    terminal.press('x')
    await terminal.waitFor('> x')
    expectWholeFrame(terminal, '> x')
  })

  test('draws everything anew when asked to, whatever was written over it', async () => {
    await using terminal = mounted('litter')
    await ready(terminal)
    terminal.press('x')
    await terminal.waitFor(/litter[^]*> x|> x[^]*litter/)
    terminal.press('r')
    await terminal.waitFor('> x r')
    expectWholeFrame(terminal, '> x r')
  })
})

describe.skipIf(missing !== undefined)(`what is left of the terminal${reason}`, () => {
  test.each([
    ['unmount', 'code 0', 'ended well'],
    ['exit', 'code 7', ''],
    ['throw', 'code 0', 'ended with Error: a listener failed'],
    ['draw', 'code 0', 'ended with Error: drawing failed'],
    ['uncaught', 'code 1', 'nobody caught it'],
    ['rejection', 'code 1', 'nobody handled it'],
    ['SIGTERM', 'code 143', 'Terminated'],
    ['SIGHUP', 'code 129', 'Hangup'],
  ])('is sane after %s', async (onX, code, said) => {
    await using terminal = mounted(onX, {}, 40)
    await ready(terminal)
    terminal.press('x')
    await expectSane(terminal)
    expect(terminal.text()).toContain(code)
    expect(terminal.text()).toContain(said)
  })

  test('gives the environment back as it was', async () => {
    await using terminal = mounted()
    await ready(terminal)
    terminal.press('x')
    await terminal.waitFor('NODE_ENV is undefined')
  })
})
