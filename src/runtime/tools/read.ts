import { z } from 'zod'
import { BoundedLines, cutLine } from './bounded-lines.ts'
import { defineTool } from './define-tool.ts'
import { type FileToolOptions, NOTE_BYTES } from './file-tool-options.ts'
import { fileName, statOf } from './files/confinement.ts'
import { failed } from './files/path-errors.ts'
import { isBinary, MAX_FILE_BYTES, readFileBytes, textOf } from './files/read-bytes.ts'
import { type GivenLines, rememberRead } from './files/seen-files.ts'
import type { Tool } from './tool.ts'

const DEFAULT_LINES = 2_000
const MAX_LINE_CHARS = 2_000

const INPUT = z.strictObject({
  path: z.string().min(1).describe('Path of the file, relative to the working directory, or absolute.'),
  startLine: z.int().min(1).default(1).describe('First line to read, counted from 1.'),
  lineCount: z.int().min(1).max(100_000).default(DEFAULT_LINES).describe('How many lines to read.'),
})

export function createReadTool({ confinement, outputBytes }: FileToolOptions): Tool {
  return defineTool({
    name: 'read',
    description:
      'Reads a text file. Every line is given behind its number and a tab. Of a long file a part is given, and it is said how to go on.',
    input: INPUT,
    readOnly: true,
    subject: ({ path }, context) => confinement.subject(path, context),
    async execute({ path, startLine, lineCount }, context) {
      const read = confinement.with(path, context, (place) => {
        const name = fileName(place)
        if (statOf(place) === undefined) throw failed(place.shown, 'does not exist')
        const { bytes, stat, version } = readFileBytes(place.directory, name, place.shown)
        const seen = { path: place.path, version }
        if (bytes.length === 0) return { ...seen, given: ALL, text: `[${place.shown} is empty]` }
        // That is all that can be said of it here: who replaces it knows what it is.
        if (isBinary(bytes)) {
          return { ...seen, given: ALL, text: `[${place.shown} is a binary file of ${stat.size} bytes]` }
        }
        const part = { startLine, lineCount, outputBytes, size: stat.size }
        return { ...seen, ...numbered(textOf(bytes), part) }
      })
      await rememberRead(read.path, read.version, read.given, context)
      return read.text
    },
  })
}

const ALL: GivenLines = { first: 1, last: 0, total: 0 }

interface Part {
  startLine: number
  lineCount: number
  outputBytes: number
  /** Of the file, bytes. */
  size: number
}

function numbered(
  text: string,
  { startLine, lineCount, outputBytes, size }: Part,
): { text: string; given: GivenLines } {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const beyond = size > MAX_FILE_BYTES ? ' of the part of the file that can be read' : ''
  const given = {
    first: startLine,
    last: startLine - 1,
    total: size > MAX_FILE_BYTES ? Number.POSITIVE_INFINITY : lines.length,
  }
  if (startLine > lines.length) return { text: `[the last line${beyond} is ${lines.length}]`, given }
  const kept = new BoundedLines(outputBytes - NOTE_BYTES)
  for (const [index, line] of lines.slice(startLine - 1, startLine - 1 + lineCount).entries()) {
    const number = startLine + index
    const shown = cutLine(line, MAX_LINE_CHARS)
    if (!kept.add(`${String(number).padStart(6)}\t${shown}`)) break
    if (shown === line && given.last === number - 1) given.last = number
  }
  const next = startLine + kept.count
  const notes: string[] = []
  if (next <= lines.length) {
    notes.push(`[… lines ${next} to ${lines.length} are left out: go on with startLine ${next}]`)
  }
  if (size > MAX_FILE_BYTES) {
    notes.push(`[… the file has ${size} bytes, of which the first ${MAX_FILE_BYTES} can be read here]`)
  }
  return { text: kept.text(...notes), given }
}
