import { describe, expect, test } from 'vitest'
import { asciicast } from '../../scripts/asciicast.ts'
import { screenSvg } from '../../scripts/screen-svg.ts'
import type { StyledCell } from '../terminal/emulator.ts'

function cells(text: string, style: Partial<StyledCell> = {}): StyledCell[] {
  return Array.from(text, (character) => ({
    text: character,
    foreground: 'default',
    background: 'default',
    bold: false,
    dim: false,
    italic: false,
    underline: false,
    inverse: false,
    ...style,
  }))
}

describe('a screen as a picture', () => {
  test('draws each run of one style at its column, as wide as its cells', () => {
    const svg = screenSvg({
      title: 't',
      rows: [[...cells('ab'), ...cells('cd', { foreground: 'ansi:2', bold: true })]],
    })
    expect(svg).toContain('<text x="0" y="13.5" textLength="16.8">ab</text>')
    expect(svg).toContain(
      '<text x="16.8" y="13.5" textLength="16.8" fill="#5cc274" font-weight="700">cd</text>',
    )
  })

  test('gives a wide character both of its cells', () => {
    const svg = screenSvg({
      title: 't',
      rows: [[...cells('漢'), ...cells('x', { text: '' }), ...cells('y')]],
    })
    expect(svg).toContain('<text x="0" y="13.5" textLength="25.2">漢y</text>')
  })

  test('puts each word at its column where there is more than a space between them', () => {
    const svg = screenSvg({
      title: 't',
      rows: [[...cells(' a b  漢'), ...cells('x', { text: '' }), ...cells('   c ')]],
    })
    expect(svg).toContain('<text x="8.4" y="13.5" textLength="25.2">a b</text>')
    expect(svg).toContain('<text x="50.4" y="13.5" textLength="16.8">漢</text>')
    expect(svg).toContain('<text x="92.4" y="13.5" textLength="8.4">c</text>')
  })

  test('turns foreground and background round where they are inverse', () => {
    const svg = screenSvg({ title: 't', rows: [cells('x', { inverse: true, foreground: 'ansi:1' })] })
    expect(svg).toContain('<rect x="0" y="0" width="8.4" height="18" fill="#f06a6a"/>')
    expect(svg).toContain('fill="#12151c">x</text>')
  })

  test.each([
    ['ansi:16', '#000000'],
    ['ansi:196', '#ff0000'],
    ['ansi:240', '#585858'],
    ['#0a0b0c', '#0a0b0c'],
  ])('knows the colour %s', (foreground, fill) => {
    expect(screenSvg({ title: 't', rows: [cells('x', { foreground })] })).toContain(`fill="${fill}">x</text>`)
  })

  test('draws nothing for what is empty', () => {
    const svg = screenSvg({ title: 't', rows: [cells('   ')] })
    expect(svg.match(/<text/g)).toHaveLength(1) // The title.
  })

  test('lets no text become markup', () => {
    const svg = screenSvg({ title: '<i>', rows: [cells('</svg>&')] })
    expect(svg).toContain('>&lt;/svg&gt;&amp;</text>')
    expect(svg).toContain('<title>&lt;i&gt;</title>')
  })
})

test('a recording is a header and what was written when, from 0 on', () => {
  const pieces = [
    { atMs: 1_000, data: 'a\u001b[1m' },
    { atMs: 1_234.6, data: 'b' },
  ]
  const [header, ...events] = asciicast({ title: 't', columns: 80, rows: 24, pieces }).trimEnd().split('\n')
  expect(JSON.parse(header ?? '')).toMatchObject({ version: 2, width: 80, height: 24 })
  expect(events).toEqual(['[0,"o","a\\u001b[1m"]', '[0.235,"o","b"]'])
})
