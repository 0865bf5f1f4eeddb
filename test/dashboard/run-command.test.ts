import { describe, expect, onTestFinished, test } from 'vitest'
import { runCommand, type TeamCommand } from '../../src/dashboard/run-command.ts'
import { show } from '../../src/dashboard/start.ts'
import type { RemoteTeam } from '../../src/client/remote-team.ts'
import { createTeam } from '../../src/team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

const terminal = {
  stdin: { isTTY: true } as unknown as NodeJS.ReadStream,
  stdout: { isTTY: true } as unknown as NodeJS.WriteStream,
}

/** Runs commands on a team with an agent `echo`, as the dashboard of a program does. */
async function openTeam(): Promise<
  (command: TeamCommand, agentId?: string) => ReturnType<typeof runCommand>
> {
  const team = await createTeam({
    data: temporaryDirectory(),
    agents: [{ id: 'echo', behavior: 'echo' }],
    host: 'in-process',
  })
  const connected = Promise.withResolvers<RemoteTeam>()
  const left = Promise.withResolvers<{ how: 'quit' }>()
  const shown = show(team, terminal, async ({ connect }) => {
    connected.resolve(await connect(new AbortController().signal))
    return left.promise
  })
  onTestFinished(async () => {
    left.resolve({ how: 'quit' })
    await shown
    await team.close()
  })
  const remote = await connected.promise
  return async (command, agentId = 'echo') => runCommand(remote, command, agentId)
}

describe('a command', () => {
  test('says what came of it, and the session that it is about', async () => {
    const run = await openTeam()
    const made = await run({ type: 'session-create', name: 'work', description: '' })
    const id = made.session?.id ?? ''
    expect(made.text).toBe(`created session work (${id.slice(0, 13)}) of echo`)
    expect((await run({ type: 'session-rename', name: 'works' })).session).toMatchObject({
      id,
      name: 'works',
    })
    const forked = (await run({ type: 'session-fork', name: 'copy' })).session
    expect(forked).toMatchObject({ name: 'copy', current: false })
    expect((await run({ type: 'session-current' })).text).toContain('current: session works')
    expect((await run({ type: 'session-load', session: forked?.id ?? '' })).session?.current).toBe(true)
    expect((await run({ type: 'session-suspend' })).session?.status).toBe('suspended')
    expect((await run({ type: 'session-resume', session: id })).session).toMatchObject({ id, current: true })
    expect((await run({ type: 'session-save' })).text).toContain('saved session works')
    expect((await run({ type: 'session-terminate' })).session).toMatchObject({ id, status: 'terminated' })
  })

  test('that needs a current session says that there is none', async () => {
    const run = await openTeam()
    expect((await run({ type: 'session-current' })).text).toBe('echo has no current session')
    await expect(run({ type: 'session-fork' })).rejects.toMatchObject({ code: 'no_current_session' })
    await expect(run({ type: 'session-rename', name: 'x' })).rejects.toMatchObject({
      code: 'no_current_session',
    })
  })

  test('adds an agent, stops it and starts it again', async () => {
    const run = await openTeam()
    const spawned = await run({ type: 'agent-spawn', agentId: 'new', behavior: 'echo' })
    expect(spawned).toMatchObject({ text: 'spawned agent new (echo)', agent: { id: 'new' } })
    expect((await run({ type: 'agent-stop' }, 'new')).text).toBe('stopped agent new')
    expect((await run({ type: 'agent-restart' }, 'new')).text).toBe('restarted agent new')
    expect((await run({ type: 'cancel' }, 'new')).text).toBe('new has no turn that could be cancelled')
  })

  test('is refused for an agent that is not there', async () => {
    const run = await openTeam()
    await expect(run({ type: 'session-save' }, 'nobody')).rejects.toMatchObject({ code: 'agent_not_found' })
  })
})
