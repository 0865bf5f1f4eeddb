/** What a person is shown of a call beside its subject: the content of a file, the message to an agent. */
import { resolve } from 'node:path'
import type { Json } from '../json.ts'
import { cutMiddle } from './cut-middle.ts'
import type { PermissionSubject } from './rule-types.ts'

/** UTF-16 units of one value, and of all. */
const MAX_VALUE = 4_000
const MAX_ALL = 12_000

/**
 * `name: value`, or the name and below it a value of several lines, for each value that the subject does not show; undefined: there
 * is none. Long values are cut in the middle.
 */
export function callDetail(
  given: Json,
  { kind, text }: PermissionSubject,
  workingDir: string,
): string | undefined {
  if (kind === 'input' || typeof given !== 'object' || given === null || Array.isArray(given))
    return undefined
  const isShown = (value: Json): boolean =>
    value === text || (kind === 'path' && typeof value === 'string' && resolve(workingDir, value) === text)
  const values = Object.entries(given)
    .filter(([, value]) => !isShown(value))
    .map(([name, value]) => {
      const whole = typeof value === 'string' ? value : JSON.stringify(value)
      const shown = cutMiddle(whole, MAX_VALUE)
      return shown.includes('\n') ? `${name}:\n${shown}` : `${name}: ${shown}`
    })
  return values.length === 0 ? undefined : cutMiddle(values.join('\n'), MAX_ALL)
}
