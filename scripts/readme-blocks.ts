/** The parts of a Markdown text that promise to work, marked in the info string of their fences. */

export interface RunnableBlock {
  /** sh: a script for bash. ts: a module for Node. */
  language: 'sh' | 'ts'
  code: string
  /** What the block must print somewhere; undefined where any output will do. */
  output: string | undefined
  /** Where the code starts in the text, from 1. */
  line: number
}

/**
 * Blocks fenced with ```` ```sh runnable ```` or ```` ```ts runnable ````, in order. A ```` ```text output ```` block behind one is what
 * it must print. Throws where a mark stands at a language that cannot be run, or an output behind nothing.
 */
export function runnableBlocks(markdown: string): RunnableBlock[] {
  const blocks: RunnableBlock[] = []
  for (const { info, text, line } of fences(markdown)) {
    const [language, mark] = info.split(/\s+/)
    if (mark === 'runnable') {
      if (language !== 'sh' && language !== 'ts') {
        throw new Error(`line ${line}: expected sh or ts before "runnable", received "${info}"`)
      }
      blocks.push({ language, code: text, output: undefined, line })
    } else if (mark === 'output') {
      const block = blocks.at(-1)
      if (block === undefined || block.output !== undefined) {
        throw new Error(`line ${line}: expected a runnable block before its output`)
      }
      block.output = text
    }
  }
  return blocks
}

function fences(markdown: string): { info: string; text: string; line: number }[] {
  const found: { info: string; text: string; line: number }[] = []
  let open: { fence: string; info: string; lines: string[]; line: number } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    const [, fence = '', info = ''] = /^(`{3,})(.*)$/.exec(text) ?? []
    if (open === undefined) {
      if (fence !== '') open = { fence, info: info.trim(), lines: [], line: index + 2 }
    } else if (fence.length >= open.fence.length && info.trim() === '') {
      found.push({ info: open.info, text: open.lines.join('\n'), line: open.line })
      open = undefined
    } else {
      open.lines.push(text)
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: expected the end of the block, received none`)
  return found
}
