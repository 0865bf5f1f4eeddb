/** The readable text of a page, by simple rules: for a model to read, not to be drawn. */

/** Elements whose content is no text of the page. */
const SILENT = ['script', 'style', 'noscript', 'template', 'svg', 'head']
const BLOCKS =
  /^(address|article|aside|blockquote|br|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|table|tr|ul)$/

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  copy: '©',
  laquo: '«',
  raquo: '»',
}

/** In time that grows with the length alone, however broken the page. The title comes first, list items behind a dash. */
export function htmlToText(html: string): string {
  const pieces: string[] = []
  const lower = html.toLowerCase()
  let title = ''
  for (let at = 0; at < html.length;) {
    const open = html.indexOf('<', at)
    pieces.push(html.slice(at, open === -1 ? undefined : open))
    if (open === -1) break
    if (lower.startsWith('<!--', open)) {
      at = endOf(lower, '-->', open)
      continue
    }
    const close = lower.indexOf('>', open)
    if (close === -1) break
    const name = /^<\/?([a-z][a-z0-9]*)/.exec(lower.slice(open, open + 32))?.[1] ?? ''
    const isEnd = lower[open + 1] === '/'
    at = close + 1
    if (SILENT.includes(name) && !isEnd) {
      const end = lower.indexOf(`</${name}`, at)
      if (name === 'head') title = titleOf(html.slice(at, end === -1 ? undefined : end))
      // What is never closed: a head ends where the body starts, the others with the page.
      const body = name === 'head' && end === -1 ? lower.indexOf('<body', at) : end
      at = body === -1 ? html.length : body
    } else if (BLOCKS.test(name)) {
      pieces.push(name === 'li' && !isEnd ? '\n- ' : '\n')
    } else if (name === 'td' || name === 'th') {
      pieces.push(' ')
    }
  }
  const lines = `${title}\n\n${decoded(pieces.join(''))}`
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
  return lines
    .filter((line, index) => line !== '' || (lines[index - 1] ?? '') !== '')
    .join('\n')
    .trim()
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found + mark.length
}

function titleOf(head: string): string {
  const start = /<title[^>]{0,200}>/i.exec(head)
  if (start === null) return ''
  const text = head.slice(start.index + start[0].length)
  const end = text.toLowerCase().indexOf('</title')
  return decoded(end === -1 ? '' : text.slice(0, end)).replaceAll(/\s+/g, ' ')
}

function decoded(text: string): string {
  return text.replaceAll(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
      ? String.fromCodePoint(code)
      : '\ufffd'
  })
}
