import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KeeperMessage } from '../../src/cli/front-channel.ts'
import { startKeeper } from '../../src/cli/keeper-process.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

function startIn(cwd: string, args: readonly string[]) {
  const heard: KeeperMessage[] = []
  const logFile = join(temporaryDirectory(), 'supervisor.log')
  const keeper = startKeeper({ args, env: {}, cwd, logFile }, (message) => heard.push(message))
  return { keeper, heard }
}

describe('a keeper that the system does not start', () => {
  test.each([
    ['in a folder that is not there', '/not/there', []],
    ['with more arguments than it takes', '/', Array.from({ length: 64 }, () => 'x'.repeat(100_000))],
  ])('%s has ended, says why, and can be released and ended', async (_, cwd, args) => {
    const { keeper, heard } = startIn(cwd, args)
    await keeper.ended
    expect(heard).toMatchObject([{ type: 'failed', error: { code: 'gateway_unreachable' } }])
    expect(JSON.stringify(heard)).toContain('the supervisor could not be started: ')
    await keeper.release()
    keeper.end()
    keeper.abandon()
  })
})
