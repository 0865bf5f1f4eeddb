import { describe, expect, test } from 'vitest'
import { table } from '../../src/cli/table.ts'

describe('a table', () => {
  test('has columns as wide as their widest cell, and no spaces at the ends of lines', () => {
    expect(
      table(
        ['ID', 'NAME'],
        [
          ['1', 'a long name'],
          ['22', 'b'],
        ],
      ),
    ).toBe(['ID  NAME', '1   a long name', '22  b'].join('\n'))
  })

  test('keeps every row on one line, whatever its cells hold', () => {
    const text = table(['NAME'], [['two\nlines\u001b[2J'], ['x'.repeat(100)]])
    expect(text.split('\n')).toEqual(['NAME', 'two lines', `${'x'.repeat(39)}…`])
  })

  test('is coloured without getting wider', () => {
    const text = table(['A', 'B'], [['1', '2']], (cell, _, column) => (column === 0 ? `<${cell}>` : cell))
    expect(text).toBe('A  B\n<1>  2')
  })
})
