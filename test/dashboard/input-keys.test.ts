import { describe, expect, test } from 'vitest'
import type { Input } from '../../src/dashboard/model/input.ts'
import { MAX_TEXT_LENGTH } from '../../src/dashboard/model/line-editor.ts'
import type { DashboardState } from '../../src/dashboard/model/state.ts'
import { initialState, update } from '../../src/dashboard/model/update.ts'

function after(...inputs: readonly Input[]): DashboardState {
  const start = initialState({ columns: 80, rows: 24, nowMs: 0, place: { owned: true } })
  return inputs.reduce((state, input) => update(state, input).state, start)
}

function keys(...names: string[]): Input[] {
  return names.map((key) => ({ type: 'key', key }))
}

const paste = (text: string): Input => ({ type: 'paste', text })
const history = (...lines: string[]): Input => ({ type: 'history', lines })

describe('keys at the input line', () => {
  test('move through the lines of a text, and from its first line on through the history', () => {
    const typed = [history('earlier'), paste('one\ntwo')]
    expect(after(...typed, ...keys('up')).input).toMatchObject({ text: 'one\ntwo', cursor: 3 })
    expect(after(...typed, ...keys('up', 'up')).input).toMatchObject({ text: 'earlier', cursor: 7 })
    expect(after(...typed, ...keys('up', 'up', 'down')).input.text).toBe('one\ntwo')
  })

  test('complete a command with Tab and show what there is to choose from', () => {
    expect(after(paste('/he'), ...keys('tab')).input.text).toBe('/help ')
    const choosing = after(paste('/session re'), ...keys('tab'))
    expect(choosing.candidates?.map(({ text }) => text)).toEqual(['resume', 'rename'])
    expect(update(choosing, { type: 'key', key: 's' }).state.candidates).toBeUndefined()
  })

  test('say so when pasted text has no room, and leave what is there', () => {
    const { input, notice } = after(...keys('a'), paste('x'.repeat(MAX_TEXT_LENGTH)))
    expect(input.text).toBe('a')
    expect(notice).toMatchObject({ kind: 'error', text: 'no room for 65536 characters more: at most 65536' })
  })

  test('keep a line that is no command, to be put right', () => {
    const { input, notice } = after(paste('/session lod x'), ...keys('enter'))
    expect(input.text).toBe('/session lod x')
    expect(notice?.text).toContain('did you mean "/session load"?')
  })
})
