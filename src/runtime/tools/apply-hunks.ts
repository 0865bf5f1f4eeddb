import { applyPatch, parsePatch } from 'diff'
import { describeThrown } from '../../errors.ts'
import { failed } from './files/path-errors.ts'
import type { TextChange } from './replace-text.ts'

/**
 * Applies the hunks of a unified diff of one file, each where its context fits exactly. The names in its headers do not matter; a diff
 * without headers will do. Throws `tool_failed` where it is no such diff, or does not fit.
 */
export function applyHunks(text: string, patch: string, shown: string): TextChange {
  const [file, ...others] = parsed(patch, shown)
  if (file === undefined || file.hunks.length === 0) {
    throw failed(shown, 'expected a unified diff with hunks (@@ -1,2 +1,2 @@), received none')
  }
  if (others.length > 0) throw failed(shown, 'expected a diff of this file alone, received one of several')
  const changed = applyPatch(text, file)
  if (changed === false) {
    throw failed(shown, 'the patch does not fit: its context is not what the file holds; read it again')
  }
  return { text: changed, changes: file.hunks.length }
}

function parsed(patch: string, shown: string): ReturnType<typeof parsePatch> {
  try {
    return parsePatch(patch)
  } catch (error) {
    throw failed(shown, `expected a unified diff: ${describeThrown(error)}`, error)
  }
}
