import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fakeBehavior } from '../fakes/open-team.ts'
import { type Cli, createCli } from './harness.ts'

function createSpendingCli(isTTY = false): Cli {
  const cli = createCli({ isTTY, env: { NO_COLOR: '1' } })
  const agents = [
    { id: 'a', behavior: fakeBehavior('spends') },
    { id: 'b', behavior: 'echo' },
  ]
  writeFileSync(join(cli.cwd, 'agentry.yaml'), JSON.stringify({ agents }))
  return cli
}

/** The cells of a table without its head, those of each line by the titles of the columns. */
function rowsOf(stdout: string): Record<string, string>[] {
  const [head = '', ...lines] = stdout.trimEnd().split('\n')
  const titles = [...head.matchAll(/\S+ */g)]
  return lines.map((line) =>
    Object.fromEntries(
      titles.map(({ 0: title, index }, column) => [
        title.trim(),
        line.slice(index, titles[column + 1]?.index).trim(),
      ]),
    ),
  )
}

describe('tokens and cost', () => {
  test('have no column while no model was asked', async () => {
    const cli = createSpendingCli()
    await cli.run('send', 'b', 'hello')
    for (const what of ['agents', 'sessions']) {
      expect((await cli.run(what, 'list')).stdout).not.toMatch(/TOKENS|COST/)
    }
  })

  test('are those of the agent and of the session, and what is not known is not left out', async () => {
    const cli = createSpendingCli()
    await cli.run('send', 'a', 'known')
    await cli.run('send', 'b', 'hello')
    const cells = async (what: string) =>
      rowsOf((await cli.run(what, 'list')).stdout)
        .map((row) => [row['AGENT'] ?? row['ID'] ?? '', row['TOKENS'] ?? '', row['COST'] ?? ''])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
    for (const what of ['agents', 'sessions']) {
      expect(await cells(what)).toEqual([
        ['a', '12k', '$0.0312'],
        ['b', '0', '$0'],
      ])
    }
    await cli.run('send', 'a', 'unknown')
    for (const what of ['agents', 'sessions']) {
      expect((await cells(what))[0]).toEqual(['a', '25k', '$0.0312 + ?'])
    }
    expect((await cli.run('sessions', 'show', '--agent', 'a')).stdout).toContain(
      'used          2 steps · 24k tokens in · 690 out · $0.0312 + ?\n',
    )
  })

  test('of a turn stand at its end, on a terminal alone', async () => {
    const line = '1 step · 12k tokens in · 345 out · ?\n'
    expect(await createSpendingCli(true).run('send', 'a', 'unknown')).toEqual({
      code: 0,
      stdout: 'spent\n',
      stderr: line,
    })
    expect((await createSpendingCli(true).run('send', '--quiet', 'a', 'unknown')).stderr).toBe('')
    expect((await createSpendingCli().run('send', 'a', 'unknown')).stderr).toBe('')
  })
})
