import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.ts'
import { loadConfig } from '../../src/config-file.ts'
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts'
import { AGENT_DEFAULTS, TEAM_DEFAULTS } from '../../src/options.ts'
import { createCli } from './harness.ts'

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')

/** The rows of a page's tables that begin with `cell`. */
function row(text: string, cell: string): string {
  const found = text.split('\n').filter((line) => line.startsWith(`| ${cell} |`))
  expect(found, `one row for ${cell}`).toHaveLength(1)
  return found[0] ?? ''
}

describe('docs/cli.md', () => {
  test('has the exit code of every error', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(row(page('cli'), String(exitCodeOf(code)))).toContain(`\`${code}\``)
    }
    for (const code of Object.values(EXIT)) row(page('cli'), String(code))
  })

  test('names every command of the help', async () => {
    const cli = createCli()
    const commands = async (...group: string[]) => {
      const { stdout } = await cli.run(...group, '--help')
      const list = stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)
      return [...list].map(([, name = '']) => name).filter((name) => name !== 'help')
    }
    expect(await commands()).toEqual([
      'dashboard',
      'attach',
      'serve',
      'send',
      'approvals',
      'agents',
      'sessions',
      'doctor',
      'token',
      'completion',
    ])
    for (const name of [
      ...(await commands()),
      ...(await commands('approvals')),
      ...(await commands('agents')),
      ...(await commands('sessions')),
    ]) {
      expect(page('cli')).toMatch(new RegExp(`^## ${name}$|\`${name}[ \`]`, 'm'))
    }
  })
})

describe('docs/configuration.md', () => {
  test('shows a file that is valid', () => {
    const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(page('configuration')) ?? []
    const { cwd } = createCli()
    const file = join(cwd, 'agentry.yaml')
    writeFileSync(file, yaml.replace('./behaviors/builder.ts', 'echo'))
    expect(loadConfig(file)).toMatchObject({ defaultAgent: 'builder', retention: { maxCount: 1000 } })
  })

  test('has every default as it is', () => {
    const defaults = {
      ...TEAM_DEFAULTS.limits,
      'limits.memoryMb': AGENT_DEFAULTS.limits.memoryMb,
      'limits.turnMs': AGENT_DEFAULTS.limits.turnMs,
    }
    for (const [key, value] of Object.entries(defaults)) {
      expect(row(page('configuration'), `\`${key}\``)).toContain(`| ${value} |`)
    }
    const { maxRestarts, withinMs } = AGENT_DEFAULTS.restart
    expect(row(page('configuration'), '`restart.maxRestarts`, `restart.withinMs`')).toContain(
      `| ${maxRestarts} in ${withinMs} |`,
    )
  })
})
