/** What the kill campaigns and the process that they kill (kill-team.ts) say to each other. */
import type { SessionInfo } from '../../src/api.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'

/**
 * mixed: echo and shell agents and a resumable module, while sessions are switched, edited and deleted · saves: snapshots are written
 * all the time · moves: sessions go into the trash and back all the time · commands: two commands that take long · warm: each agent
 * answers once · none: no new work, only what was left is finished.
 */
export type KillLoad = 'mixed' | 'saves' | 'moves' | 'commands' | 'warm' | 'none'

/** The argument of the process, as JSON. */
export interface KillTeamOptions {
  directory: string
  /** Every command and every tool call appends one line to this file, before it does anything else. */
  effects: string
  /** In the environment of every command that sleeps, as `KILL_MARK={mark}/{agent}/`. */
  mark: string
  /** The number of this run of the campaign. */
  run: number
  load: KillLoad
  seed: number
}

export type SessionOp =
  | 'create'
  | 'load'
  | 'suspend'
  | 'update'
  | 'save'
  | 'fork'
  | 'terminate'
  | 'trash'
  | 'restore'

/** One line of JSON each, written synchronously at the moment of which it tells. */
export type KillReport =
  /** createTeam has returned: what its catalog holds, and what the start mended. */
  | { type: 'up'; epoch: number; sessions: SessionInfo[]; notes: string[] }
  /** The agent answered its first message. `leftovers`: pids of its sleeping commands that were still there then. */
  | { type: 'back'; agentId: string; leftovers: number[] }
  /** Of the load `commands`: the long command of this agent has said that it is running. */
  | { type: 'running'; agentId: string }
  /** `send` has returned. */
  | { type: 'outcome'; input: string; outcome: Outcome }
  /** `post` has returned. */
  | { type: 'accepted'; input: string; outcome: Outcome }
  /** A session command is about to be given. `n`: what an update sets `metadata.n` to. */
  | { type: 'try'; agentId: string; op: SessionOp; sessionId?: string; n?: number }
  /** It has returned. */
  | { type: 'done'; agentId: string; op: SessionOp; session: SessionInfo; n?: number }
  /** Nothing is left to do: the whole catalog. The process waits for the end of its input, closes the team and ends. */
  | { type: 'quiet'; sessions: SessionInfo[]; trash: SessionInfo[] }
  /** A call failed, which none should. */
  | { type: 'failed'; what: string; error: string }
