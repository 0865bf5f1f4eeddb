/**
 * The process of a keeper that a dashboard has started (keeper-process.ts): keep.ts and nothing else of the command line. Its arguments are
 * the server's, read by the dashboard before and by the server after it; loading what reads them would delay the server.
 */
import { systemClock } from '../core/clock.ts'
import { keepServing } from './keep.ts'
import { onEndingSignal } from './process-signals.ts'
import { createReport } from './report.ts'

/** Keeps servers with the arguments of this process, and sets its exit code. */
export async function main(): Promise<void> {
  const { env, stdout, stderr } = process
  const io = { env: { ...env }, clock: systemClock, onSignal: onEndingSignal }
  process.exitCode = await keepServing({ io, report: createReport({ stdout, stderr }, false) })
}
