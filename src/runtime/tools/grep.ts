import { z } from 'zod'
import { describeThrown, AgentryError } from '../../errors.ts'
import { defineTool } from './define-tool.ts'
import { type FileToolOptions, NOTE_BYTES } from './file-tool-options.ts'
import { statOf } from './files/confinement.ts'
import { failed } from './files/path-errors.ts'
import { type FoundFile, walkFiles } from './files/walk-tree.ts'
import { LineSearch } from './line-search.ts'
import type { Tool } from './tool.ts'

const MAX_SCANNED = 200_000
const MAX_MATCHES = 500

const INPUT = z.strictObject({
  pattern: z.string().min(1).max(1_000).describe('Regular expression of JavaScript, matched in each line.'),
  path: z.string().min(1).default('.').describe('Directory to search in, or one file.'),
  glob: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Only files whose path relative to `path` matches: `**/*.ts`.'),
  ignoreCase: z.boolean().default(false),
  maxMatches: z.int().min(1).max(MAX_MATCHES).default(100).describe('Most lines to give.'),
})

export function createGrepTool({ confinement, outputBytes }: FileToolOptions): Tool {
  return defineTool({
    name: 'grep',
    description:
      'Searches the lines of text files with a regular expression and gives path:line:text. Does not follow symbolic links nor look into .git and node_modules, unless `path` lies there.',
    input: INPUT,
    readOnly: true,
    subject: ({ path }, context) => confinement.subject(path, context),
    async execute({ pattern, path, glob, ignoreCase, maxMatches }, { workingDir, signal }) {
      const expression = expressionOf(pattern, ignoreCase)
      const select = glob === undefined ? undefined : (await import('./path-glob.ts')).createPathMatcher(glob)
      const place = confinement.open(path, { workingDir })
      try {
        const { directory, shown, rest } = place
        const stat = statOf(place)
        if (stat === undefined) throw failed(shown, 'does not exist')
        const prefix = rest.length > 0 || shown === '.' ? '' : `${shown}/`
        const search = new LineSearch({ expression, maxMatches, outputBytes: outputBytes - NOTE_BYTES })
        const [name] = rest
        const files =
          name === undefined
            ? walkFiles(directory, { confinement, signal, maxEntries: MAX_SCANNED, select })
            : only({ directory, name, relative: shown })
        const cut = await search.run(files, prefix, signal)
        const notes: string[] = []
        if (search.isFull) notes.push('[… there are more: give a narrower pattern, glob or path]')
        if (search.isOverTime)
          notes.push('[… it took too long: give a narrower glob or path, or a simpler pattern]')
        if (cut) notes.push('[… the tree is too large to be searched as a whole]')
        if (search.skipped > 0) notes.push(`[… ${search.skipped} files were not read: ${search.skippedWhy}]`)
        return search.matches === 0 && notes.length === 0 ? '[no line matches]' : search.text(...notes)
      } finally {
        place.close()
      }
    },
  })
}

async function* only(file: FoundFile): AsyncGenerator<FoundFile, boolean> {
  yield await Promise.resolve(file)
  return false
}

function expressionOf(pattern: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(pattern, ignoreCase ? 'iu' : 'u')
  } catch {
    // Escapes such as `\-` or `\"` are errors only with the flag u.
  }
  try {
    return new RegExp(pattern, ignoreCase ? 'i' : '')
  } catch (error) {
    throw new AgentryError('invalid_input', `pattern: ${describeThrown(error)}`, { cause: error })
  }
}
