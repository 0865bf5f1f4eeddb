import { statSync } from 'node:fs'
import { z } from 'zod'
import { systemClock, type Clock } from '../../core/clock.ts'
import { AgentryError } from '../../errors.ts'
import { baseEnvironment, commandEnvironment } from '../processes/command-environment.ts'
import { CommandOutput } from '../processes/command-output.ts'
import type { Reaper } from '../processes/reaper.ts'
import { runCommand } from '../processes/run-command.ts'
import { defineTool } from './define-tool.ts'
import type { Tool } from './tool.ts'

const DEFAULT_TIMEOUT_MS = 120_000
const MAX_TIMEOUT_MS = 3_600_000
/** For the line that says how the command ended. */
const END_BYTES = 200

const INPUT = z.strictObject({
  command: z
    .string()
    .min(1)
    .refine((text) => !text.includes('\0'), { error: 'expected no NUL character' })
    .describe('A command line for /bin/sh.'),
  timeoutMs: z
    .int()
    .min(100)
    .max(MAX_TIMEOUT_MS)
    .default(DEFAULT_TIMEOUT_MS)
    .describe('After this it is ended, with everything that it started.'),
})

export interface ShellToolOptions {
  reaper: Reaper
  /** Most bytes of output in the result: more is cut in the middle, and marked. */
  outputBytes: number
  clock?: Clock | undefined
  /** What a command gets from SIGTERM to SIGKILL. Default 2,000. */
  graceMs?: number | undefined
}

/**
 * Runs a command line in the session's working directory with its vars as environment. `cd` and `export` last as long as the command.
 * No process is left behind, whichever way it ends (run-command.ts, C2 and C3); after the timeout the output until then is the result.
 */
export function createShellTool(options: ShellToolOptions): Tool {
  const { reaper, outputBytes, clock = systemClock, graceMs } = options
  return defineTool({
    name: 'shell',
    description:
      'Runs a command line with /bin/sh in the working directory. It has no terminal and no input. What it leaves in the background is ended with it; cd and export do not last beyond it.',
    input: INPUT,
    subject: ({ command }) => ({ kind: 'command', text: command }),
    async execute({ command, timeoutMs }, context) {
      const { agentId, sessionId, turnId, workingDir, vars, signal } = context
      if (statSync(workingDir, { throwIfNoEntry: false })?.isDirectory() !== true) {
        throw new AgentryError(
          'working_dir_missing',
          `the working directory of the session does not exist or is not a directory: ${workingDir}`,
          { data: { sessionId, workingDir } },
        )
      }
      const maxBytes = Math.max(outputBytes - END_BYTES, 128)
      // What came until the timeout, which run-command gives no result for.
      const kept = new CommandOutput(maxBytes)
      const timeout = new AbortController()
      const timer = clock.setTimer(timeoutMs, () => timeout.abort())
      try {
        const { output, exitCode } = await runCommand({
          command,
          workingDir,
          environment: commandEnvironment(baseEnvironment(process.env), vars, { agentId, sessionId, turnId }),
          turnId,
          leavesNothing: true,
          reaper,
          signal: AbortSignal.any([signal, timeout.signal]),
          outputBytes: maxBytes,
          clock,
          ...(graceMs !== undefined && { graceMs }),
          onOutput(text) {
            kept.write(text)
            context.emit(text)
          },
        })
        const end = exitCode === 0 ? '' : `[exit code ${exitCode}]`
        return { content: withEnd(output, end || (output === '' ? '[no output]' : '')), exitCode }
      } catch (error) {
        if (signal.aborted || !timeout.signal.aborted || error !== timeout.signal.reason) throw error
        const content = withEnd(kept.text(), `[ended after ${timeoutMs} ms, its time limit]`)
        return { content, outcome: 'error' }
      } finally {
        timer.cancel()
      }
    },
  })
}

function withEnd(output: string, end: string): string {
  if (end === '') return output
  return output === '' || output.endsWith('\n') ? output + end : `${output}\n${end}`
}
