/** What may be done where no rule says: looking is allowed, changing is asked. */
import type { PatternRules, Permission } from './rule-types.ts'

/** Tools that change nothing but the session's own notes, or that the other agent's rules judge in turn. */
const HARMLESS: ReadonlySet<string> = new Set([
  'remember',
  'recall',
  'todo',
  'list_agents',
  'ask_agent',
  'tell_agent',
])

/**
 * Command lines that only look. Left out on purpose: what can write or run something by an option in the place of a further word
 * (`find`, `sort`, `tar`, `sed`, `git -c`, `git diff --output`), since a last ` *` takes any.
 */
const LOOKING: PatternRules = {
  allow: [
    'pwd',
    'ls *',
    'cat *',
    'head *',
    'tail *',
    'wc *',
    'echo *',
    'grep *',
    'which *',
    'date',
    'true',
    'false',
    'git status',
    'git status --short',
    'git diff',
    'git diff --stat',
    'git diff --cached',
    'git log',
    'git log --oneline',
    'git branch',
    'git branch --list',
    'git show',
    'git show --stat',
  ],
  default: 'ask',
}

export function defaultRule(tool: string, readOnly: boolean): Permission | PatternRules {
  if (tool === 'shell') return LOOKING
  return readOnly || HARMLESS.has(tool) ? 'allow' : 'ask'
}
