import { z } from 'zod'
import { defineTool } from './define-tool.ts'
import type { FileToolOptions } from './file-tool-options.ts'
import { fileName } from './files/confinement.ts'
import { conflict } from './files/path-errors.ts'
import { replaceFile } from './files/replace-file.ts'
import type { Tool } from './tool.ts'

const INPUT = z.strictObject({
  path: z.string().min(1).describe('Path of the file, relative to the working directory, or absolute.'),
  content: z.string().describe('The whole new content of the file.'),
})

export function createWriteTool({ confinement, versions, clock }: FileToolOptions): Tool {
  return defineTool({
    name: 'write',
    description:
      'Writes a file: a new one (missing directories are made), or the whole content of one that exists. Fails with "conflict" where the file changed since you read it: read it again then. To change a part, use edit.',
    input: INPUT,
    subject: ({ path }, context) => confinement.subject(path, context),
    async execute({ path, content }, { sessionId, signal, workingDir }) {
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
            const seen = versions.of(sessionId, place.path)
            if (seen !== undefined && seen !== current?.version) throw conflict(place.shown, CHANGED)
            return bytes
          },
        })
        versions.saw(sessionId, place.path, version)
        return `${existed ? 'replaced' : 'made'} ${place.shown} (${bytes.length} bytes)`
      } finally {
        place.close()
      }
    },
  })
}

/** What a model has to know where another wrote the file meanwhile. */
export const CHANGED = 'changed since you read it: read it again and take over what changed'
