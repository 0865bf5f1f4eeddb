/** Permission rules, as the calls of a model are judged by. */
import { realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { compileRules, decide, grantFor } from '../../../core/permissions/rules.ts'
import type { PermissionRules } from '../../../core/permissions/rule-types.ts'
import type { Judge } from './run-calls.ts'

/** Throws `invalid_config` for rules that cannot be read. The judge throws what a tool's `subject` throws. */
export function createJudge(rules: PermissionRules, dataDirectory?: string): Judge {
  const compiled = compileRules(rules)
  return (tool, input, context, grants) => {
    const subject = tool.subject?.(input, context)
    const dataPath = subject?.kind === 'command' ? pathBelow(context.workingDir, dataDirectory) : undefined
    const call = {
      tool: tool.name,
      readOnly: tool.readOnly,
      workingDir: context.workingDir,
      ...(subject !== undefined && { subject }),
      ...(dataPath !== undefined && { dataPath }),
    }
    const { decision, reason } = decide(compiled, call, grants)
    if (decision === 'allow') return { decision }
    if (decision === 'deny') return { decision, reason }
    return { decision, reason, subject: subject?.text ?? '', grant: grantFor(tool.name, subject) }
  }
}

/** `directory` as seen from `workingDir`; `.` where that is within it; undefined: it is elsewhere. */
function pathBelow(workingDir: string, directory: string | undefined): string | undefined {
  if (directory === undefined) return undefined
  const path = relative(realPath(workingDir), realPath(directory))
  if (path.split(sep).every((name) => name === '' || name === '..')) return '.'
  return path.split(sep)[0] === '..' ? undefined : path
}

/** The path itself where it leads nowhere. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
