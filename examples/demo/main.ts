/**
 * The story of a team that outlives its supervisor: `npm run demo`.
 *
 * The supervisor is a process of its own, so that it can be killed: before.ts is its first life, after.ts its second. All output of
 * commands is real, and the story checks what it claims: it exits with 0 only if everything holds.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { claim, type Handover, heading, say, type Stage } from './stage.ts'

/** The supervisor is killed when the long command has printed this many lines. */
const KILL_AT_LINE = 3

const folder = mkdtempSync(join(tmpdir(), 'agentry-demo-'))
let supervisor: ChildProcess | undefined
process.on('exit', () => {
  supervisor?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const stage: Stage = { data: join(folder, 'sessions'), log: join(folder, 'log') }
writeFileSync(stage.log, '')
heading('Agentry: a team that outlives its supervisor')
say(`Everything below is real. Data directory, removed at the end: ${stage.data}`)

const handover = await firstLife()
await secondLife(handover)

heading('Everything that was claimed above was checked, and holds.')

/** Runs the first supervisor up to the kill; resolves with what it knew. */
async function firstLife(): Promise<Handover> {
  const first = startSupervisor('before.ts')
  let known: Handover | undefined
  first.on('message', (handover: Handover) => {
    known = handover
    if (handover.printedLines >= KILL_AT_LINE) first.kill('SIGKILL')
  })
  const end = await endOf(first)
  claim(`SIGKILL: supervisor ${first.pid} is dead, in the middle of a turn`, end === 'SIGKILL')
  if (known === undefined) throw new Error('the supervisor said nothing')
  return known
}

async function secondLife(handover: Handover): Promise<void> {
  const second = startSupervisor('after.ts')
  second.send(handover)
  if ((await endOf(second)) !== 0) process.exit(1)
}

function startSupervisor(program: string): ChildProcess {
  supervisor = fork(fileURLToPath(new URL(program, import.meta.url)), [stage.data, stage.log])
  return supervisor
}

/** Resolves when the process has ended: with its exit code, or the signal that ended it. */
function endOf(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
}
