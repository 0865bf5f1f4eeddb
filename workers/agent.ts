/**
 * The entry of an agent's thread. It serves stays, one at a time, for as long as none of them brings code that is not Agentry's;
 * after such a stay, or a failed one, it waits to be terminated.
 */
import { parentPort, threadId } from 'node:worker_threads'
import { systemClock } from '../src/core/clock.ts'
import { AgentryError, toAgentryError } from '../src/errors.ts'
import { createFramePort } from '../src/protocol/port.ts'
import type { StoreOptions } from '../src/protocol/stay.ts'
import {
  type FromThread,
  type ReadResult,
  type ReadTask,
  type StayTask,
  type ThreadError,
  toThreadError,
} from '../src/protocol/thread-task.ts'
import type { ToAgent } from '../src/protocol/to-agent.ts'
import { loadBehavior } from '../src/runtime/load-behavior.ts'
import { captureOutput } from '../src/runtime/output-capture.ts'
import { redactThreadError } from '../src/runtime/secrets/redact-error.ts'
import { RedactedLogs } from '../src/runtime/secrets/redacted-logs.ts'
import { redactorOf } from '../src/runtime/secrets/stay-redactor.ts'
import { runStay } from '../src/runtime/stay.ts'
import { createFileStore } from '../src/store/file-store.ts'
import type { SessionStore } from '../src/store/session-store.ts'

/** Resolves when the thread can take another stay: else never. */
export default async function serveStay({ options, port }: StayTask): Promise<void> {
  const frames = createFramePort<FromThread, ToAgent>(port)
  const redactor = redactorOf(options)
  const logs = new RedactedLogs(redactor, (log, atOnce) => {
    frames.send(log)
    if (atOnce) frames.flush()
  })
  const output = captureOutput(systemClock, (log, atOnce) => logs.push(log, atOnce))
  // Also where user code calls process.exit or lets an error escape: what it said last is what explains it.
  const sendLastWords = () => {
    output.flush()
    logs.end()
    frames.flush()
  }
  process.on('exit', sendLastWords)
  // The pool has no more use for it, and what user code posted there would flood the supervisor.
  parentPort?.close()

  let reusable = false
  let error: ThreadError | undefined
  try {
    await runStay(options, frames, {
      store: openStore(options.store),
      clock: systemClock,
      threadId,
      redactor,
      async loadBehavior(stay, onNote) {
        const loaded = await loadBehavior(stay, onNote)
        reusable = !loaded.userModule
        return loaded
      },
    })
  } catch (thrown) {
    reusable = false
    error = redactThreadError(toThreadError(thrown), redactor)
  }
  output.flush()
  logs.end()
  frames.send({ type: 'ended', reusable, ...(error && { error }) })
  frames.flush()
  if (!reusable) return new Promise(() => {})
  process.off('exit', sendLastWords)
  output.release()
  frames.close()
}

/** Reads a session without a claim: nothing is changed. */
export async function readSession({ store, sessionId }: ReadTask): Promise<ReadResult> {
  try {
    const { state } = await openStore(store).load(sessionId)
    return { state }
  } catch (thrown) {
    return { error: toAgentryError(thrown).toJSON() }
  }
}

function openStore({ directory, fsync }: StoreOptions): SessionStore {
  if (directory === undefined)
    throw new AgentryError('internal', 'a memory store cannot be shared with a thread')
  return createFileStore({ directory, fsync })
}
