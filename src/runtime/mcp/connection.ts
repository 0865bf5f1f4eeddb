/** A connection to one MCP server, from its start to its end. Loads the SDK: import it when there is a server to talk to. */
import {
  Client,
  type Progress,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import type { ToolResult } from '../../behavior.ts'
import type { Clock } from '../../core/clock.ts'
import { untilAborted } from '../../core/deadline.ts'
import type { JsonObject } from '../../core/json.ts'
import { describeThrown } from '../../errors.ts'
import type { McpServerSpec } from '../../llm-spec.ts'
import type { Reaper } from '../processes/reaper.ts'
import { toToolResult } from './call-result.ts'
import { createHttpConnection, type HttpConnection } from './http-transport.ts'
import { bearerToken, serverEnvironment } from './server-environment.ts'
import { shortened } from '../../core/shortened.ts'
import { NotSentError, StdioTransport } from './stdio-transport.ts'
import { readToolList, type ToolList } from './tool-list.ts'

/** The SDK times its requests by itself: every request here has a signal of ours instead. */
const NO_TIMEOUT_MS = 2 ** 31 - 1

/** Of what a server reports at a time, in characters. */
const MAX_PROGRESS = 2_048

const CLIENT = { name: 'agentry', version: '1' }

export interface ConnectOptions {
  workingDir: string
  environment: NodeJS.ProcessEnv
  clock: Clock
  reaper: Reaper
  graceMs?: number
  /** The server says that its tools are others now. */
  onToolsChanged: () => void
  /** Called once, when the connection is gone, with the reason. */
  onEnd: (why: string) => void
}

export interface CallOptions {
  signal: AbortSignal
  onProgress: (message: string) => void
}

/** What came of a call. `refused`: the server has not done it. `unknown`: it may have done it or not. */
export type CallEnd =
  | { kind: 'answered'; result: ToolResult }
  | { kind: 'refused'; why: string; lost: boolean }
  | { kind: 'unknown'; why: string; lost: boolean }

export interface Connection {
  /** Rejects where the server does not answer with a list. */
  list(signal: AbortSignal): Promise<ToolList>
  /** Sends the call once, and a cancellation where the signal aborts. `lost`: the connection is of no use any more. */
  call(name: string, input: JsonObject, options: CallOptions): Promise<CallEnd>
  /** Resolves when nothing of the server is left (a process), or it has been told (a URL). Idempotent, never rejects. */
  close(): Promise<void>
}

/**
 * Rejects with what is wrong where the server does not start or does not speak MCP, or where `signal` aborts; nothing of it is left
 * then.
 */
export async function connect(
  spec: McpServerSpec,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Connection> {
  signal.throwIfAborted()
  const { transport, ending, close } = open(spec, options)
  const client = new Client(CLIENT, { capabilities: {} })
  client.setNotificationHandler('notifications/tools/list_changed', () => options.onToolsChanged())
  try {
    // The SDK sends the last message of the handshake without the signal: what still waits then ends with the transport.
    await untilAborted(client.connect(transport, { signal, timeout: NO_TIMEOUT_MS }), signal)
  } catch (error) {
    await close()
    const why = signal.aborted ? describeThrown(signal.reason) : describeThrown(error)
    throw new Error(ending(why), { cause: error })
  }
  let ended = false
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client has this only
  client.onclose = () => {
    ended = true
    options.onEnd(ending('the connection was closed'))
  }
  return {
    list: (listSignal) => readToolList(client, { signal: listSignal, timeout: NO_TIMEOUT_MS }),
    call: (name, input, call) =>
      client
        .request(
          { method: 'tools/call', params: { name, arguments: input } },
          {
            signal: call.signal,
            timeout: NO_TIMEOUT_MS,
            onprogress: (progress) => call.onProgress(progressText(progress)),
          },
        )
        .then(
          (result): CallEnd => ({ kind: 'answered', result: toToolResult(result) }),
          (error: unknown) => callEndOf(error, call.signal, ended, ending),
        ),
    close,
  }
}

function progressText({ message, progress, total }: Progress): string {
  if (message !== undefined) return shortened(message, MAX_PROGRESS)
  return total === undefined ? `progress: ${progress}` : `progress: ${progress} of ${total}`
}

function callEndOf(
  error: unknown,
  signal: AbortSignal,
  ended: boolean,
  ending: (why: string) => string,
): CallEnd {
  if (error instanceof NotSentError) return { kind: 'refused', why: ending(error.message), lost: true }
  if (ended) return { kind: 'unknown', why: ending('the connection was closed'), lost: true }
  const why = describeThrown(error)
  if (signal.aborted) return { kind: 'unknown', why, lost: false }
  if (error instanceof ProtocolError) return { kind: 'refused', why, lost: false }
  if (error instanceof UnauthorizedError) {
    return { kind: 'refused', why: 'it does not take our token (401)', lost: true }
  }
  if (error instanceof SdkHttpError && error.status !== undefined && error.status < 500) {
    // 404 stands for a session that the server has forgotten: the next use opens another.
    return { kind: 'refused', why, lost: error.status === 404 }
  }
  const unreadable = error instanceof SdkError && error.code === SdkErrorCode.InvalidResult
  return { kind: 'unknown', why, lost: !unreadable }
}

type Opened = Pick<HttpConnection, 'transport' | 'close'> & {
  /** Why the connection ended, with what else is known of it; `otherwise` where it did not end by itself. */
  ending: (otherwise: string) => string
}

function open(spec: McpServerSpec, options: ConnectOptions): Opened {
  if (spec.type === 'http') {
    const token = bearerToken(spec, options.environment)
    const http = createHttpConnection({ url: spec.url, headers: spec.headers, token, clock: options.clock })
    return { ...http, ending: (otherwise) => http.endedBecause() ?? otherwise }
  }
  const environment = serverEnvironment(spec, options.environment)
  const { workingDir, reaper, clock, graceMs } = options
  const transport = new StdioTransport({
    command: spec.command,
    args: spec.args,
    workingDir,
    environment,
    reaper,
    clock,
    ...(graceMs !== undefined && { graceMs }),
  })
  return {
    transport,
    close: () => transport.close(),
    ending(otherwise) {
      const why = transport.endedBecause ?? otherwise
      const words = transport.lastWords()
      return words === '' ? why : `${why}; the last it said: ${words}`
    },
  }
}
