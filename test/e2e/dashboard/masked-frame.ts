/** What differs from run to run and from machine to machine, replaced by something as wide: the frame stays as it looks. */

const MASKS: readonly (readonly [RegExp, string])[] = [
  // Ids, whole or cut.
  [/\b[0-9a-f]{8}-[0-9a-f]{4}(?:-[0-9a-f]*)*/g, 'i'],
  // Times of day, addresses, folders with what fills their row.
  [/\b\d\d:\d\d\b/g, 't'],
  [/127\.0\.0\.1:\d+/g, 'u'],
  [/\/\S*agentry-da[^\s"…|]*…?(?:(?= *\|)[ ]*| [─━]+)?/g, 'p'],
  // What is left of a folder behind a box.
  [/(?<=╮)[^|\n]+/g, ' '],
  // How a connection broke.
  [/(?<=no supervisor for )[^|\n]*/g, 'r'],
  // Shares of the processor and heaps, there or not yet there; what is in columns of the table.
  [/ +\d+%/g, ' '],
  [/ *\b\d+(?:\.\d+)?[KMG]B\b/g, ' '],
  [/[▁▂▃▄▅▆▇█]/g, ' '],
]

/** In columns that end at the right: the spaces before them make up for their width. */
const FIGURES: readonly RegExp[] = [/ *\b\d+(?:\.\d+)? [KMG]?B\b/g, / +\d+[smh](?=\b)/g]

export function masked(frame: string): string {
  // The legend of styles has places in columns, which figures move.
  const [picture, legend] = splitAtLegend(frame)
  let text = picture
  for (const [pattern, letter] of MASKS)
    text = text.replaceAll(pattern, (found) => letter.repeat(found.length))
  for (const pattern of FIGURES) {
    text = text.replaceAll(pattern, (found) => ' '.repeat(Math.max(0, found.length - 1)) + '#')
  }
  return `${text}\n${coloursOf(legend)}\n`
}

function splitAtLegend(frame: string): [string, string] {
  const end = frame.lastIndexOf('-+\n') + 2
  return [frame.slice(0, end), frame.slice(end + 1)]
}

/** Which styles are on each row, from left to right. */
function coloursOf(legend: string): string {
  const rows = new Map<string, string[]>()
  for (const line of legend.split('\n')) {
    const [, row, style] = /^(\d+):[\d-]+ (.*?) "/.exec(line) ?? []
    if (row === undefined || style === undefined) continue
    const styles = rows.get(row) ?? []
    if (styles.at(-1) !== style) styles.push(style)
    rows.set(row, styles)
  }
  return [...rows].map(([row, styles]) => `${row}: ${styles.join(', ')}`).join('\n')
}
