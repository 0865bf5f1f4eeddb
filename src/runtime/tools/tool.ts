/** What a tool is: built-in ones, those of MCP servers and users' own have the same form. */
import type { z } from 'zod'
import type { ToolResult } from '../../behavior.ts'
import type { Json } from '../../core/json.ts'
import type { PermissionSubject as AnySubject, SubjectKind } from '../../core/permissions/rule-types.ts'

/** What one call of a tool is given. */
export interface ToolContext {
  readonly agentId: string
  readonly sessionId: string
  readonly turnId: string
  readonly toolCallId: string
  /** Absolute; the session's. It may be gone: a tool that needs it fails with `working_dir_missing`. */
  readonly workingDir: string
  /** The session's. */
  readonly vars: Readonly<Record<string, string>>
  /** The session's. */
  readonly metadata: Readonly<Record<string, Json>>
  /** Aborted on cancel and on the limits of the turn: the tool ends what it runs and rejects or returns. */
  readonly signal: AbortSignal
  /** Sends output to whoever follows the turn while the tool runs. Transient. */
  emit(text: string): void
  /** Records changes of the session, durable when it resolves. null removes a key. */
  updateSession(changes: {
    workingDir?: string
    vars?: Record<string, string | null>
    metadata?: Record<string, Json | null>
  }): Promise<void>
}

/** What permission rules look at. `command`: a line for /bin/sh, judged by its structure; the others are matched as text. */
export interface PermissionSubject extends AnySubject {
  kind: Exclude<SubjectKind, 'input'>
}

export interface Tool<Input = unknown> {
  /** 1 to 64 of A-Z a-z 0-9 _ -, as all providers take it. */
  readonly name: string
  /** For the model. */
  readonly description: string
  /** JSON Schema (draft 2020-12) of the input, an object. */
  readonly inputSchema: { [key: string]: Json }
  /** The input as `execute` takes it. Throws `invalid_input` with what was expected, for the model to read. */
  parse(input: unknown): Input
  /** What patterns of permission rules are matched with, and what a person is asked about; left out: the whole input, as JSON. */
  subject?(input: Input, context: Pick<ToolContext, 'workingDir'>): PermissionSubject
  /** Reads only: may be allowed without asking where no rule says otherwise. */
  readonly readOnly: boolean
  /** What it throws becomes the result with outcome `error`. */
  execute(input: Input, context: ToolContext): Promise<ToolResult | string>
}

/** A tool as its author writes it. */
export interface ToolDefinition<Schema extends z.ZodType> {
  name: string
  description: string
  /** A schema of an object. */
  input: Schema
  subject?(input: z.output<Schema>, context: Pick<ToolContext, 'workingDir'>): PermissionSubject
  /** Default false. */
  readOnly?: boolean
  execute(input: z.output<Schema>, context: ToolContext): Promise<ToolResult | string> | ToolResult | string
}
