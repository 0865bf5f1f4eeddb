/** The slash commands: their forms, what they mean, and how a line of text becomes one. */

/** A command as parsed. References (`session`, `agentId`) are as typed: ids, unique beginnings of ids, or names. */
export type Command =
  | { readonly type: 'sessions-list'; readonly agentId?: string }
  | { readonly type: 'session-create'; readonly name: string; readonly description: string }
  | { readonly type: 'session-load'; readonly session: string }
  | { readonly type: 'session-save' }
  | { readonly type: 'session-current' }
  | { readonly type: 'session-suspend' }
  | { readonly type: 'session-resume'; readonly session: string }
  /** Without a session: the current one. */
  | { readonly type: 'session-terminate'; readonly session?: string }
  | { readonly type: 'session-fork'; readonly name?: string }
  | { readonly type: 'session-rename'; readonly name: string }
  | { readonly type: 'agents' }
  /** Choose the agent that messages go to. */
  | { readonly type: 'agent-choose'; readonly agentId: string }
  | { readonly type: 'agent-spawn'; readonly agentId: string; readonly behavior: string }
  /** Without an agent: the chosen one. So for the two below. */
  | { readonly type: 'agent-stop'; readonly agentId?: string }
  | { readonly type: 'agent-restart'; readonly agentId?: string }
  | { readonly type: 'cancel'; readonly agentId?: string }
  | { readonly type: 'help' }
  | { readonly type: 'quit' }
  | { readonly type: 'detach' }

export type CommandType = Command['type']
