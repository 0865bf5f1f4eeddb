/** Permission rules, as the calls of a model are judged by. */
import { relative, resolve, sep } from 'node:path'
import type { Json } from '../../../core/json.ts'
import { callDetail } from '../../../core/permissions/call-detail.ts'
import { inputSubject, shownSubject } from '../../../core/permissions/input-subject.ts'
import { compileRules, decide, grantFor } from '../../../core/permissions/rules.ts'
import type { PermissionRules, PermissionSubject } from '../../../core/permissions/rule-types.ts'
import { realPath } from '../../tools/files/real-path.ts'
import type { Tool, ToolContext } from '../../tools/tool.ts'
import type { Judge } from './run-calls.ts'

/** Throws `invalid_config` for rules that cannot be read. The judge throws what a tool's `subject` throws. */
export function createJudge(rules: PermissionRules, dataDirectory?: string): Judge {
  const compiled = compileRules(rules)
  return (tool, { parsed, given }, context, grants) => {
    const subject = subjectOf(tool, parsed, given, context)
    const { workingDir } = context
    const realDir = realPath(workingDir)
    const dataPath = subject.kind === 'command' ? pathBelow(realDir, dataDirectory) : undefined
    const { name, readOnly } = tool
    const call = {
      tool: name,
      readOnly,
      workingDir,
      realDir,
      subject,
      ...(dataPath !== undefined && { dataPath }),
    }
    const { decision, reason } = decide(compiled, call, grants)
    if (decision === 'allow') return { decision }
    if (decision === 'deny') return { decision, reason }
    const detail = callDetail(given, subject, workingDir)
    const about = { subject: shownSubject(subject), ...(detail !== undefined && { detail }) }
    return { decision, reason, ...about, grant: grantFor(name, subject) }
  }
}

/** A path is absolute: a grant for it means the same file wherever the session works by then. */
function subjectOf(
  tool: Tool,
  parsed: unknown,
  given: Json,
  context: Pick<ToolContext, 'workingDir'>,
): PermissionSubject {
  const subject = tool.subject?.(parsed, context)
  if (subject === undefined) return inputSubject(given)
  return subject.kind === 'path' ? { ...subject, text: resolve(context.workingDir, subject.text) } : subject
}

/** `directory` as seen from `realDir`; `.` where that is within it; undefined: it is elsewhere. */
function pathBelow(realDir: string, directory: string | undefined): string | undefined {
  if (directory === undefined) return undefined
  const path = relative(realDir, realPath(directory))
  if (path.split(sep).every((name) => name === '' || name === '..')) return '.'
  return path.split(sep)[0] === '..' ? undefined : path
}
