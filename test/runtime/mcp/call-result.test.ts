import { expect, test } from 'vitest'
import { toToolResult } from '../../../src/runtime/mcp/call-result.ts'

test('text is joined by lines, and what is no text is named with its type and size', () => {
  const { content } = toToolResult({
    content: [
      { type: 'text', text: 'one' },
      { type: 'audio', mimeType: 'audio/wav', data: 'AAAA' },
      { type: 'image', mimeType: 'image/png', data: 'AAA=' },
      { type: 'resource', resource: { uri: 'file:///a', mimeType: 'text/plain', text: 'inside' } },
      { type: 'resource', resource: { uri: 'file:///b', blob: 'AA==' } },
      { type: 'resource_link', name: 'c', uri: 'file:///c', description: 'the third' },
    ],
  })
  expect(content).toBe(
    [
      'one',
      '[audio: audio/wav, 3 bytes, not shown]',
      '[image: image/png, 2 bytes, not shown]',
      '[resource file:///a, text/plain]\ninside',
      '[resource file:///b, of no named type, 1 bytes, not shown]',
      '[link to a resource: c, file:///c, the third]',
    ].join('\n'),
  )
})

test('structured content is given where there is no text, and only there', () => {
  const structuredContent = { rows: [1, 2] }
  expect(toToolResult({ content: [], structuredContent }).content).toBe('{"rows":[1,2]}')
  const text = toToolResult({ content: [{ type: 'text', text: 'two rows' }], structuredContent })
  expect(text.content).toBe('two rows')
})

test('an error has the outcome of one, nothing says so, and text becomes well-formed', () => {
  expect(toToolResult({ content: [], isError: true })).toEqual({ content: '[no content]', outcome: 'error' })
  expect(toToolResult({ content: [{ type: 'text', text: 'a\ud800' }] })).toEqual({
    content: 'a\ufffd',
    outcome: 'ok',
  })
})
