import { z } from 'zod'
import { defineTool } from './define-tool.ts'
import type { FileToolOptions } from './file-tool-options.ts'
import { fileName } from './files/confinement.ts'
import { conflict } from './files/path-errors.ts'
import { replaceFile } from './files/replace-file.ts'
import { compareSeen, rememberSeen } from './files/seen-files.ts'
import type { Tool } from './tool.ts'

const INPUT = z.strictObject({
  path: z.string().min(1).describe('Path of the file, relative to the working directory, or absolute.'),
  content: z.string().describe('The whole new content of the file.'),
})

export function createWriteTool({ confinement, clock }: FileToolOptions): Tool {
  return defineTool({
    name: 'write',
    description:
      'Writes a file: a new one (missing directories are made), or the whole content of one that exists. A file that exists has to be read before: fails with "conflict" where you have not read all of it, or it changed since: read it then. To change a part, use edit.',
    input: INPUT,
    subject: ({ path }, context) => confinement.subject(path, context),
    async execute({ path, content }, context) {
      const { signal, workingDir } = context
      const place = confinement.open(path, { workingDir })
      try {
        if (place.rest.length <= 1) fileName(place)
        let existed = false
        const bytes = Buffer.from(content)
        const version = await replaceFile({
          place,
          signal,
          clock,
          next(current) {
            existed = current !== undefined
            const seen = compareSeen(place.path, current?.version, context)
            if (seen === 'changed') throw conflict(place.shown, CHANGED)
            if (seen === 'unseen' && existed) throw conflict(place.shown, UNREAD)
            if (seen === 'part') throw conflict(place.shown, PART)
            return bytes
          },
        })
        await rememberSeen(place.path, version, context)
        return `${existed ? 'replaced' : 'made'} ${place.shown} (${bytes.length} bytes)`
      } finally {
        place.close()
      }
    },
  })
}

/** What a model has to know where another wrote the file meanwhile. */
export const CHANGED = 'changed since you read it: read it again and take over what changed'
const UNREAD = 'exists, and you have not read it: read it first, to know what you replace'
const PART =
  'exists, and you have read only a part of it: read it whole (the lines that are left too), or change a part of it with edit'
