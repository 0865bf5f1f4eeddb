/** What a scripted server answers: the same script for both protocols. */

/** An answer is a list of parts, streamed in order; a part by itself, or plain text, is an answer too. */
export type Reply = string | Part | (string | Part)[]

export type Part =
  /** An array is streamed as one chunk for each item; a text in chunks of about 20 characters. */
  | { text: string | string[] }
  | { reasoning: string | string[] }
  /** `arguments` is sent as it is where it is given, however broken; else `input` as JSON. The id is made up by default. */
  | { toolCall: { name: string; input?: unknown; arguments?: string; id?: string } }
  | { usage: TokenCounts }
  /** Default: `tool-calls` where there were any, else `stop`. */
  | { finish: 'stop' | 'length' | 'tool-calls' | 'content-filter' }
  /** Waits for the promise before the next part. */
  | { gate: Promise<unknown> }
  /** Instead of an answer; a part that comes before it makes no sense. */
  | {
      status: number
      message?: string
      code?: string
      /** Seconds, or a date. */
      retryAfter?: number | string
    }
  | { fault: Fault }

/**
 * `hang`: nothing more is sent, the connection stays. `cut`: the socket is destroyed. `end`: the answer ends in good order
 * without its finish. `malformed`: one chunk that is no JSON, then the rest. `error`: an error event in mid-stream.
 * `json`, `html`: a whole answer of that type in place of a stream. `empty`: 200 and no body.
 */
export type Fault = 'hang' | 'cut' | 'end' | 'malformed' | 'error' | 'json' | 'html' | 'empty'

export interface TokenCounts {
  /** All of the request, cached ones included. */
  input: number
  output: number
  cached?: number
  /** Of the output. */
  reasoning?: number
}

/** The parts of a reply, with text as parts. */
export function partsOf(reply: Reply): Part[] {
  const list = Array.isArray(reply) ? reply : [reply]
  return list.map((part) => (typeof part === 'string' ? { text: part } : part))
}

/** The pieces in which a text is streamed. Never empty ones, never half a surrogate pair. */
export function chunksOf(text: string | string[]): string[] {
  if (Array.isArray(text)) return text
  return text.match(/[\s\S]{1,20}(?![\udc00-\udfff])/g) ?? []
}
