import type { Key } from 'ink'
import { describe, expect, test } from 'vitest'
import { keysOf } from '../../../src/dashboard/view/keys.ts'

function key(flags: Partial<Key> = {}): Key {
  return {
    upArrow: false,
    downArrow: false,
    leftArrow: false,
    rightArrow: false,
    pageDown: false,
    pageUp: false,
    home: false,
    end: false,
    return: false,
    escape: false,
    ctrl: false,
    shift: false,
    tab: false,
    backspace: false,
    delete: false,
    meta: false,
    super: false,
    hyper: false,
    capsLock: false,
    numLock: false,
    ...flags,
  }
}

describe('names of keys', () => {
  test.each([
    ['a letter', 'j', {}, ['j']],
    ['a capital', 'G', { shift: true }, ['G']],
    ['the space bar', ' ', {}, ['space']],
    ['enter', '\r', { return: true }, ['enter']],
    ['enter with alt', '\r', { return: true, meta: true }, ['alt+enter']],
    ['tab', '', { tab: true }, ['tab']],
    ['tab backwards', '', { tab: true, shift: true }, ['shift+tab']],
    ['escape', '', { escape: true }, ['esc']],
    ['escape twice within a moment', '', { escape: true, meta: true }, ['esc', 'esc']],
    ['an arrow', '', { upArrow: true }, ['up']],
    ['an arrow with shift', '', { upArrow: true, shift: true }, ['up']],
    ['an arrow with ctrl', '', { leftArrow: true, ctrl: true }, ['ctrl+left']],
    ['page up', '', { pageUp: true }, ['pageup']],
    ['a letter with ctrl', 'p', { ctrl: true }, ['ctrl+p']],
    ['space with ctrl', ' ', { ctrl: true }, ['ctrl+space']],
    ['a letter with alt', 'b', { meta: true }, ['alt+b']],
    ['backspace with alt', '', { backspace: true, meta: true }, ['alt+backspace']],
    ['a key that has no name', '', {}, []],
  ] as const)('%s', (_, input, flags, names) => {
    expect(keysOf(input, key(flags))).toEqual(names)
  })

  test('what came in one piece is one key after the other', () => {
    expect(keysOf('hi you\r', key())).toEqual(['h', 'i', 'space', 'y', 'o', 'u', 'enter'])
    expect(keysOf('a\tb\nc\r\nd', key())).toEqual(['a', 'tab', 'b', 'enter', 'c', 'enter', 'd'])
    expect(keysOf('jj\u0010', key())).toEqual(['j', 'j', 'ctrl+p'])
  })

  test('a character of several code points is one key', () => {
    expect(keysOf('👩‍💻e\u0301漢', key())).toEqual(['👩‍💻', 'e\u0301', '漢'])
  })

  test('control characters beyond those of keys are none', () => {
    expect(keysOf('a\u009bb\u007f', key())).toEqual(['a', 'b'])
  })
})
