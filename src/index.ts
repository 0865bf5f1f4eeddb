/** The public API of Agentry as a library. Behaviors import `agentry/behavior` instead: it is lighter. */
export { createTeam, type TeamOptions } from './team.ts'
export type {
  Agent,
  AgentInfo,
  AgentSpecInput,
  AgentState,
  ApprovalInfo,
  CommandOptions,
  LlmSpecInput,
  McpServerInput,
  ResourceUsage,
  SendOptions,
  SessionFilter,
  SessionInfo,
  Team,
  TeamEvent,
  TeamEventBody,
  TeamHealth,
} from './api.ts'
export type { AgentLimits, AgentSpec } from './agent-spec.ts'
export {
  type Behavior,
  type BehaviorContext,
  type BehaviorResult,
  defineBehavior,
  type SessionView,
  type ToolResult,
} from './behavior.ts'
export type { Json, JsonObject } from './core/json.ts'
export type { PatternRules, Permission, PermissionRules } from './core/permissions/rule-types.ts'
export type { AskedBy, SessionRecord } from './core/record.ts'
export type { RestartPolicy } from './core/restart-policy.ts'
export type {
  Approval,
  ApprovalAnswer,
  ApprovalDecision,
  Grant,
  MemoryEntry,
  SessionHeader,
  SessionState,
  SessionStatus,
  ToolCall,
  ToolOutcome,
  TurnStatus,
  Usage,
  UsageTotal,
} from './core/session-state.ts'
export { AgentryError, ERROR_CODES, type ErrorCode, isAgentryError, type WireError } from './errors.ts'
export type { ProvidersInput } from './model-options.ts'
export type { LlmSpec, McpServerSpec, Price, ProviderSpec, ProviderType, TeamModels } from './llm-spec.ts'
export type { TeamLimits } from './options.ts'
export type { CreateSessionInput, ImportedSession, SessionPatch } from './protocol/commands.ts'
export type { Outcome, TurnEvent } from './protocol/from-agent.ts'
export type { Teammate } from './protocol/team-requests.ts'
export type { RetentionPolicy } from './store/retention.ts'
export type { SessionNote } from './store/session-store.ts'
