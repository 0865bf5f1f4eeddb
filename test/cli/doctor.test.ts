import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { type Cli, createCli } from './harness.ts'

interface Diagnosis {
  healthy: boolean
  findings: { kind: string; repaired: boolean; steps: string[] }[]
}

interface Patient {
  cli: Cli
  id: string
  journal: string
  snapshot: string
}

/** A team with one saved session of two turns. */
async function createPatient(): Promise<Patient> {
  const cli = createCli()
  writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agents: [{ id: main, behavior: echo }]\n')
  const { id } = await cli.json<SessionInfo>('sessions', 'create', 'work')
  await cli.run('send', 'main', 'first')
  await cli.run('send', 'main', 'second')
  await cli.run('sessions', 'save')
  const file = (ending: string) => join(cli.cwd, 'sessions', `${id}.${ending}`)
  return { cli, id, journal: file('journal.jsonl'), snapshot: file('json') }
}

async function diagnose(cli: Cli, ...options: string[]): Promise<Diagnosis & { code: number }> {
  const { code, stdout } = await cli.run('--json', 'doctor', ...options)
  return { code, ...(JSON.parse(stdout) as Diagnosis) }
}

async function inputs({ cli, id }: Patient): Promise<string[]> {
  const { memory } = await cli.json<SessionState>('sessions', 'show', id)
  return memory.filter(({ role }) => role === 'user').map(({ content }) => content)
}

describe('doctor', () => {
  test('finds nothing wrong in a healthy directory', async () => {
    const { cli } = await createPatient()
    expect(await diagnose(cli)).toMatchObject({ code: 0, healthy: true, findings: [] })
    expect((await cli.run('doctor')).stdout).toMatch(/: nothing is wrong\n$/)
  })

  test('shows what is wrong and what it would do, and changes nothing', async () => {
    const { cli, journal, snapshot } = await createPatient()
    appendFileSync(journal, '{"seq":')
    rmSync(snapshot)
    const before = readFileSync(journal)
    const { code, stdout } = await cli.run('doctor')
    expect(code).toBe(6)
    expect(stdout).toMatch(/ends in 7 bytes of a write that was cut off\n {2}would: keep the last 7 bytes /)
    expect(stdout).toMatch(/\.json is missing\n {2}would: write /)
    expect(stdout).toMatch(/: 2 wrong; `agentry doctor --repair` can repair 2\n$/)
    expect(readFileSync(journal)).toEqual(before)
    expect(existsSync(snapshot)).toBe(false)
  })

  test('with --repair mends it, keeps what it replaced, and says that all is well', async () => {
    const patient = await createPatient()
    const { cli, journal, snapshot } = patient
    appendFileSync(journal, '{"seq":')
    rmSync(snapshot)
    const repaired = await diagnose(cli, '--repair')
    expect(repaired).toMatchObject({ code: 0, healthy: true })
    expect(repaired.findings.map(({ kind }) => kind).sort()).toEqual(['snapshot', 'torn-tail'])
    expect(repaired.findings.every((finding) => finding.repaired && finding.steps.length > 0)).toBe(true)
    expect(readdirSync(join(cli.cwd, 'sessions', '.agentry', 'quarantine'))).toHaveLength(1)
    expect(await diagnose(cli)).toMatchObject({ code: 0, findings: [] })
    expect(await inputs(patient)).toEqual(['first', 'second'])
  })

  test('offers the snapshot where the journal is gone', async () => {
    const patient = await createPatient()
    rmSync(patient.journal)
    const { cli, id } = patient
    const shown = await cli.fail('sessions', 'show', id)
    expect(shown.code).not.toBe(0)
    expect(await diagnose(cli)).toMatchObject({
      code: 6,
      findings: [{ kind: 'journal-missing', repaired: false }],
    })
    expect(await diagnose(cli, '--repair')).toMatchObject({
      code: 0,
      healthy: true,
      findings: [{ kind: 'journal-missing', repaired: true }],
    })
    expect(await inputs(patient)).toEqual(['first', 'second'])
    expect(await cli.run('send', 'main', 'third')).toMatchObject({ code: 0, stdout: 'third' })
  })

  test('says what it cannot repair', async () => {
    const { cli, journal, snapshot } = await createPatient()
    rmSync(journal)
    writeFileSync(snapshot, '{}')
    expect(await diagnose(cli, '--repair')).toMatchObject({
      code: 6,
      healthy: false,
      findings: [{ kind: 'journal-missing', repaired: false, steps: [] }],
    })
    expect(readFileSync(snapshot, 'utf8')).toBe('{}')
  })

  test('finds a list of agents that cannot be understood, and sets it aside with --repair', async () => {
    const { cli, id } = await createPatient()
    const own = join(cli.cwd, 'sessions', '.agentry')
    const agents = join(own, 'agents.json')
    writeFileSync(agents, '{bad')
    const { code, stdout } = await cli.run('doctor')
    expect(code).toBe(6)
    expect(stdout).toMatch(/agents\.json could not be understood \(.*\)\n {2}would: move it into quarantine/)
    expect(readFileSync(agents, 'utf8')).toBe('{bad')
    expect(await diagnose(cli, '--repair')).toMatchObject({
      code: 0,
      healthy: true,
      findings: [{ kind: 'registry', repaired: true }],
    })
    expect(existsSync(agents)).toBe(false)
    expect(readFileSync(join(own, 'quarantine', 'agents.json'), 'utf8')).toBe('{bad')
    expect(await diagnose(cli)).toMatchObject({ code: 0, findings: [] })
    expect(await cli.json('sessions', 'list')).toMatchObject({ sessions: [{ id }] })
  })

  test('leaves a list of agents of a newer version as it is, and says so', async () => {
    const { cli } = await createPatient()
    writeFileSync(join(cli.cwd, 'sessions', '.agentry', 'agents.json'), '{"formatVersion":2}')
    expect(await diagnose(cli, '--repair')).toMatchObject({
      code: 6,
      findings: [{ kind: 'newer-format', place: 'own', repaired: false, steps: [] }],
    })
  })

  test('leaves a file alone that is not of Agentry, and does not call it wrong', async () => {
    const { cli } = await createPatient()
    writeFileSync(join(cli.cwd, 'sessions', 'notes.txt'), 'mine')
    expect(await diagnose(cli, '--repair')).toMatchObject({
      code: 0,
      healthy: true,
      findings: [{ kind: 'foreign-file', repaired: false }],
    })
    expect(readFileSync(join(cli.cwd, 'sessions', 'notes.txt'), 'utf8')).toBe('mine')
  })

  test('does not make a data directory where there is none', async () => {
    const cli = createCli()
    expect(await cli.fail('doctor')).toMatchObject({ code: 6, error: { code: 'directory_invalid' } })
    expect(existsSync(join(cli.cwd, 'sessions'))).toBe(false)
    mkdirSync(join(cli.cwd, 'empty'))
    expect((await cli.run('doctor', '--data', 'empty')).code).toBe(0)
  })
})
