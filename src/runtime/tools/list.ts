import { type Dirent, lstatSync, readlinkSync } from 'node:fs'
import { z } from 'zod'
import { BoundedLines } from './bounded-lines.ts'
import { defineTool } from './define-tool.ts'
import { type FileToolOptions, NOTE_BYTES } from './file-tool-options.ts'
import { statOf } from './files/confinement.ts'
import type { DirectoryPin } from './files/directory-pin.ts'
import { failed, fromSystem } from './files/path-errors.ts'
import { readEntries } from './files/walk-tree.ts'
import type { Tool } from './tool.ts'

const MAX_ENTRIES = 1_000

const INPUT = z.strictObject({
  path: z
    .string()
    .min(1)
    .default('.')
    .describe('The directory, relative to the working directory, or absolute.'),
})

export function createListTool({ confinement, outputBytes }: FileToolOptions): Tool {
  return defineTool({
    name: 'list',
    description:
      'Lists one directory: directories end in /, symbolic links show where they lead, files their size in bytes.',
    input: INPUT,
    readOnly: true,
    subject: ({ path }, context) => confinement.subject(path, context),
    execute({ path }, context) {
      return confinement.with(path, context, (place) => {
        const { directory, shown } = place
        if (place.rest.length > 0) {
          throw failed(shown, statOf(place) === undefined ? 'does not exist' : 'is no directory')
        }
        const entries = entriesOf(directory, shown)
        const kept = new BoundedLines(outputBytes - NOTE_BYTES)
        for (const entry of entries.slice(0, MAX_ENTRIES)) {
          if (!kept.add(line(directory, entry))) break
        }
        const left = entries.length - kept.count
        if (entries.length === 0) return `[${shown} is empty]`
        return kept.text(...(left > 0 ? [`[… ${left} more are left out: use glob]`] : []))
      })
    },
  })
}

function entriesOf(directory: DirectoryPin, shown: string): Dirent[] {
  try {
    return readEntries(directory)
  } catch (error) {
    throw fromSystem(error, shown)
  }
}

/** What is gone by now is listed without more. */
function line(directory: DirectoryPin, entry: Dirent): string {
  const name = shownName(entry.name)
  try {
    if (entry.isDirectory()) return `${name}/`
    if (entry.isSymbolicLink()) return `${name} -> ${shownName(readlinkSync(directory.at(entry.name)))}`
    if (!entry.isFile()) return `${name} (no regular file)`
    return `${name} ${lstatSync(directory.at(entry.name)).size}`
  } catch {
    return name
  }
}

/** A name may hold a newline: one line stays one entry. */
export function shownName(name: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return /[\u0000-\u001f\u007f]/.test(name) ? JSON.stringify(name) : name
}
