import { z } from 'zod'
import { BoundedLines, cutLine } from './bounded-lines.ts'
import { defineTool } from './define-tool.ts'
import { NOTE_BYTES } from './file-tool-options.ts'
import type { Tool } from './tool.ts'
import type { FetchOptions } from './web/fetch-page.ts'

const DEFAULT_TIMEOUT_MS = 30_000
const MAX_LINE_CHARS = 10_000

const INPUT = z.strictObject({
  url: z.string().min(1).max(4_000).describe('URL of http or https.'),
  timeoutMs: z.int().min(100).max(120_000).default(DEFAULT_TIMEOUT_MS),
})

export interface FetchToolOptions extends Pick<FetchOptions, 'clock' | 'isAllowed' | 'resolve'> {
  /** Most bytes of a result. */
  outputBytes: number
}

/** Not among the tools that an agent has by default: what a page says reaches the model, and what is asked for leaves the machine. */
export function createFetchTool(options: FetchToolOptions): Tool {
  return defineTool({
    name: 'fetch',
    description:
      'Fetches a page or a text over http or https (GET). Pages are given as plain text. A redirect is not followed: you are told where it leads. Addresses within this machine or its network are refused.',
    input: INPUT,
    subject: ({ url }) => ({ kind: 'url', text: URL.parse(url)?.href ?? url }),
    async execute({ url, timeoutMs }, { signal }) {
      const { fetchPage } = await import('./web/fetch-page.ts')
      const { clock, isAllowed, resolve } = options
      const page = await fetchPage(url, { signal, timeoutMs, clock, isAllowed, resolve })
      const kept = new BoundedLines(options.outputBytes - NOTE_BYTES)
      const head = [page.status, page.contentType, page.url].filter((part) => part !== '').join(' ')
      kept.add(cutLine(`[${head}]`, 4_200))
      const left = page.text.split(/\r?\n/).some((line) => !kept.add(cutLine(line, MAX_LINE_CHARS)))
      return {
        content: kept.text(...(left || page.cut ? ['[… the rest is left out]'] : [])),
        outcome: page.status < 400 ? 'ok' : 'error',
      }
    },
  })
}
