import { describe, expect, test } from 'vitest'
import { noTerminalHere, openTerminal, type Terminal } from './terminal.ts'

const missing = noTerminalHere()
const reason = missing === undefined ? '' : ` (${missing})`

function bash(script: string, size: { columns?: number; rows?: number } = {}): Terminal {
  return openTerminal({ command: 'bash', args: ['--norc', '-c', script], columns: 40, rows: 6, ...size })
}

describe.skipIf(missing !== undefined)(`the terminal of the tests${reason}`, () => {
  test('shows what a program wrote, and says how it ended', async () => {
    await using terminal = bash('echo one; echo two; exit 3')
    expect(await terminal.exited).toEqual({ code: 3 })
    expect(terminal.screen()).toEqual(['one', 'two', '', '', '', ''])
    expect(terminal.output).toBe('one\r\ntwo\r\n')
    expect(terminal.bytesWritten).toBe(10)
  })

  test('names the signal that ended a program', async () => {
    await using terminal = bash('kill -TERM $$')
    expect(await terminal.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  test('types to the program, one key or many', async () => {
    await using terminal = bash('read -r line; echo "got <$line>"')
    terminal.type('hello')
    terminal.press('space')
    terminal.press('x')
    terminal.press('enter')
    await terminal.waitFor('got <hello x>')
  })

  test('knows colours and attributes of a cell', async () => {
    await using terminal = bash(String.raw`printf '\e[1;32mgreen\e[0m \e[7;38;2;1;2;3mrgb\e[0m plain'`)
    await terminal.exited
    expect(terminal.styleOf('green')).toMatchObject({ foreground: 'ansi:2', bold: true, inverse: false })
    expect(terminal.styleOf('rgb')).toMatchObject({ foreground: '#010203', inverse: true })
    expect(terminal.cellAt(10, 0)).toMatchObject({ text: 'p', foreground: 'default', bold: false })
    expect(() => terminal.styleOf('absent')).toThrow('"absent" is not on the screen')
  })

  test('finds text behind a wide character', async () => {
    await using terminal = bash(String.raw`printf '漢字 \e[31mred'`)
    await terminal.exited
    expect(terminal.styleOf('red')).toMatchObject({ text: 'r', foreground: 'ansi:1' })
  })

  test('knows the modes that a program set', async () => {
    await using terminal = bash(
      String.raw`printf '\e[?1049h\e[?25l\e[?2004h'; read -r; printf '\e[?1049l\e[?25h\e[?2004l'`,
    )
    await terminal.waitFor(() => terminal.bracketedPaste, 'bracketed paste')
    expect(terminal.alternateScreen).toBe(true)
    expect(terminal.cursor.visible).toBe(false)
    terminal.press('enter')
    await terminal.exited
    expect(terminal.alternateScreen).toBe(false)
    expect(terminal.cursor.visible).toBe(true)
    expect(terminal.bracketedPaste).toBe(false)
  })

  test('marks what is pasted where the program asked for that, and only there', async () => {
    await using terminal = bash(
      String.raw`stty -echo; echo ready; read -r a; printf '\e[?2004h'; echo marked; read -r b; printf '%q %q' "$a" "$b"`,
    )
    await terminal.waitFor('ready')
    terminal.paste('one\n')
    await terminal.waitFor('marked')
    terminal.paste('two')
    terminal.press('enter')
    await terminal.exited
    expect(terminal.text()).toContain(String.raw`one $'\E[200~two\E[201~'`)
  })

  test('tells the program of its new size', async () => {
    await using terminal = bash(`trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done`)
    await terminal.waitFor('ready')
    terminal.resize(50, 9)
    await terminal.waitFor('9 50')
  })

  test('says what was on the screen instead of what was waited for', async () => {
    await using terminal = bash('echo something else; read -r')
    await terminal.waitFor('something else')
    await expect(terminal.waitFor('never', 'the end of time', 10)).rejects.toThrow(
      'waited in vain for the end of time: 10 ms passed. On the screen:\nsomething else',
    )
  })

  test('waits no longer than the program lives', async () => {
    await using terminal = bash('echo bye')
    await expect(terminal.waitFor('never')).rejects.toThrow('ended with {"code":0}')
  })

  test('writes a screen down with a legend of what is not plain', async () => {
    await using terminal = bash(String.raw`printf 'a \e[31mred\e[0m\r\n\e[1;7mchosen\e[0m'`, {
      columns: 8,
      rows: 3,
    })
    await terminal.exited
    expect(terminal.frameSnapshot()).toBe(
      [
        '+--------+',
        '|a red   |',
        '|chosen  |',
        '|        |',
        '+--------+',
        '0:2-4 red "red"',
        '1:0-5 bold inverse "chosen"',
        'cursor at 1:6',
        '',
      ].join('\n'),
    )
  })
})
