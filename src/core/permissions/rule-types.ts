/** What permission rules are written in and looked up with. Plain data. */

export const PERMISSIONS = ['allow', 'ask', 'deny'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** By tool name; `*` stands for all tools that are not named. `server__*` stands for all tools of one MCP server. */
export interface PermissionRules {
  [tool: string]: Permission | PatternRules
}

/** Patterns over what a tool is asked for: a command line, a path, a URL, an agent's id. deny wins over ask, ask over allow. */
export interface PatternRules {
  allow?: string[]
  ask?: string[]
  deny?: string[]
  /** Where no pattern fits. Default `ask`. */
  default?: Permission
}

export type SubjectKind = 'command' | 'path' | 'url' | 'agent' | 'text' | 'input'

/**
 * What a call is about. `command`: a line for /bin/sh; `path`: absolute, or relative to the working directory; `input`: all that
 * a tool is given, which says nothing else of itself.
 */
export interface PermissionSubject {
  kind: SubjectKind
  text: string
}
