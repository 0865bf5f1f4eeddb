import { z } from 'zod'
import { defineTool } from './define-tool.ts'
import type { FileToolOptions } from './file-tool-options.ts'
import { fileName, statOf } from './files/confinement.ts'
import { conflict, failed, refused } from './files/path-errors.ts'
import { isExactText, MAX_FILE_BYTES, textOf } from './files/read-bytes.ts'
import { replaceFile } from './files/replace-file.ts'
import { compareSeen, rememberSeen } from './files/seen-files.ts'
import { replaceText } from './replace-text.ts'
import type { Tool } from './tool.ts'
import { CHANGED } from './write.ts'

const INPUT = z
  .strictObject({
    path: z.string().min(1).describe('Path of the file, relative to the working directory, or absolute.'),
    oldText: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Text to replace, exactly as it is in the file, without line numbers. It must occur once, unless replaceAll is set.',
      ),
    newText: z.string().optional().describe('What it is replaced by.'),
    replaceAll: z.boolean().default(false).describe('Replace every occurrence.'),
    patch: z
      .string()
      .min(1)
      .optional()
      .describe('Instead of oldText and newText: hunks of a unified diff of this one file.'),
  })
  .refine(
    ({ oldText, newText, patch }) =>
      patch === undefined
        ? oldText !== undefined && newText !== undefined
        : oldText === undefined && newText === undefined,
    { error: 'expected either oldText and newText, or patch' },
  )

export function createEditTool({ confinement, clock }: FileToolOptions): Tool {
  return defineTool({
    name: 'edit',
    description:
      'Changes a part of a text file: replaces an exact text, or applies a unified diff. Fails with "conflict" where the file changed since you read it: read it again then.',
    input: INPUT,
    subject: ({ path }, context) => confinement.subject(path, context),
    async execute({ path, oldText, newText, replaceAll, patch }, context) {
      const { signal, workingDir } = context
      // Loaded before the file is looked at, so that nothing is waited for in between.
      const { applyHunks } = patch === undefined ? {} : await import('./apply-hunks.ts')
      const place = confinement.open(path, { workingDir })
      try {
        fileName(place)
        if (statOf(place) === undefined) throw failed(place.shown, 'does not exist: use write to make it')
        let change = { text: '', changes: 0 }
        let whole = false
        const version = await replaceFile({
          place,
          signal,
          clock,
          next(current) {
            if (current === undefined) throw conflict(place.shown, 'was removed meanwhile')
            // One that it never read is no conflict: the text that is replaced shows what it takes the file for.
            const seen = compareSeen(place.path, current.version, context)
            if (seen === 'changed') throw conflict(place.shown, CHANGED)
            whole = seen === 'same'
            if (current.stat.size > MAX_FILE_BYTES) {
              throw refused(place.shown, `is larger than ${MAX_FILE_BYTES} bytes: use shell to edit it`)
            }
            if (!isExactText(current.bytes)) throw refused(place.shown, 'is no text in UTF-8')
            const text = textOf(current.bytes)
            change =
              patch !== undefined && applyHunks !== undefined
                ? applyHunks(text, patch, place.shown)
                : replaceText(
                    text,
                    { oldText: oldText ?? '', newText: newText ?? '', replaceAll },
                    place.shown,
                  )
            return Buffer.from(change.text)
          },
        })
        // What it did not know of the file before, it does not know now.
        await rememberSeen(place.path, version, context, whole ? undefined : 0)
        return `edited ${place.shown} (${change.changes} ${change.changes === 1 ? 'change' : 'changes'})`
      } finally {
        place.close()
      }
    },
  })
}
