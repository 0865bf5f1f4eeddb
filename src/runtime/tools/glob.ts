import { z } from 'zod'
import { BoundedLines } from './bounded-lines.ts'
import { defineTool } from './define-tool.ts'
import { type FileToolOptions, NOTE_BYTES } from './file-tool-options.ts'
import { statOf } from './files/confinement.ts'
import { failed } from './files/path-errors.ts'
import { walkFiles } from './files/walk-tree.ts'
import { shownName } from './list.ts'
import type { Tool } from './tool.ts'

const MAX_FILES = 1_000
const MAX_SCANNED = 200_000

const INPUT = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(500)
    .describe('Glob over paths relative to `path`: `**/*.ts`, `src/{a,b}/*.json`. `*` does not cross /.'),
  path: z.string().min(1).default('.').describe('Directory to search in.'),
})

export function createGlobTool({ confinement, outputBytes }: FileToolOptions): Tool {
  return defineTool({
    name: 'glob',
    description:
      'Finds files by the pattern of their paths. Does not follow symbolic links nor look into .git and node_modules, unless `path` lies there.',
    input: INPUT,
    readOnly: true,
    subject: ({ path }, context) => confinement.subject(path, context),
    async execute({ pattern, path }, { workingDir, signal }) {
      const { createPathMatcher } = await import('./path-glob.ts')
      const select = createPathMatcher(pattern)
      const place = confinement.open(path, { workingDir })
      try {
        if (place.rest.length > 0) {
          throw failed(place.shown, statOf(place) === undefined ? 'does not exist' : 'is no directory')
        }
        const prefix = place.shown === '.' ? '' : `${place.shown}/`
        const kept = new BoundedLines(outputBytes - NOTE_BYTES)
        const files = walkFiles(place.directory, { confinement, signal, maxEntries: MAX_SCANNED, select })
        let full = false
        let next = await files.next()
        for (; next.done !== true && !full; next = await files.next()) {
          full = kept.count === MAX_FILES || !kept.add(shownName(prefix + next.value.relative))
        }
        await files.return(false)
        const notes: string[] = []
        if (full) notes.push('[… there are more: give a narrower pattern or path]')
        if (next.done === true && next.value)
          notes.push('[… the tree is too large to be searched as a whole]')
        return kept.count === 0 && notes.length === 0 ? '[no file matches]' : kept.text(...notes)
      } finally {
        place.close()
      }
    },
  })
}
