/** The readable text of a page, by simple rules: for a model to read, not to be drawn. */

/** Elements whose content is no text of the page. */
const SILENT = ['script', 'style', 'noscript', 'template', 'svg']
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
  const lower = lowerAscii(html)
  let title: string | undefined
  for (let at = 0; at < html.length;) {
    const open = html.indexOf('<', at)
    pieces.push(html.slice(at, open === -1 ? undefined : open))
    if (open === -1) break
    if (html.startsWith('<!--', open)) {
      at = endOf(html, '-->', open)
      continue
    }
    const close = html.indexOf('>', open)
    if (close === -1) break
    const name = /^<\/?([a-z][a-z0-9]*)/.exec(lower.slice(open, open + 32))?.[1] ?? ''
    const isEnd = lower[open + 1] === '/'
    at = close + 1
    if (name === 'title' && !isEnd && title === undefined) {
      const end = lower.indexOf('</title', at)
      title = end === -1 ? '' : html.slice(at, end)
      if (end !== -1) at = end
    } else if (SILENT.includes(name) && !isEnd) {
      const end = lower.indexOf(`</${name}`, at)
      // One that is never closed ends with the page: nothing is searched for twice.
      at = end === -1 ? html.length : end
    } else if (BLOCKS.test(name)) {
      pieces.push(name === 'li' && !isEnd ? '\n- ' : '\n')
    } else if (name === 'td' || name === 'th') {
      pieces.push(' ')
    }
  }
  const heading = decoded(title ?? '').replaceAll(/\s+/g, ' ')
  const lines = `${heading}\n\n${decoded(pieces.join(''))}`
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

/** As long as the text: toLowerCase makes two characters of some beyond ASCII. */
function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
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
