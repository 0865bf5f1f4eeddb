/** What a served team tells of its token, and to whom its files are open. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Served, startServe } from './built-serve.ts'

const TOKEN = 'set-by-who-runs-the-gateway'

/** Work of every kind that leaves files: sessions, a trash, the output of commands. */
async function work(served: Served): Promise<string> {
  const { body } = await served.ask<{ result: string }>('POST', '/message', {
    input: 'env; tr "\\0" " " < /proc/$PPID/cmdline; tr "\\0" " " < /proc/self/cmdline',
  })
  const session = await served.ask<{ id: string }>('POST', '/sessions', { name: 'second' })
  await served.ask('POST', '/message', { input: 'export A=1' })
  await served.ask('POST', `/sessions/${session.body.id}/save`)
  expect((await served.ask('DELETE', `/sessions/${session.body.id}?purge=true`)).status).toBe(200)
  return body.result
}

function everythingUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
}

test('all files of a served team are their owner’s alone', async () => {
  const served = await startServe()
  await work(served)
  const data = join(served.cwd, 'sessions')
  const modes = [data, ...everythingUnder(data)].map((path) => {
    const info = lstatSync(path)
    return [path, info.isDirectory() ? 'folder' : 'file', (info.mode & 0o777).toString(8)]
  })
  expect(modes.filter(([, kind, mode]) => mode !== (kind === 'folder' ? '700' : '600'))).toEqual([])
  expect(modes.length).toBeGreaterThan(6)
  expect(await served.stop()).toBe(0)
})

test('a token that was set is told to nobody: no command, no file, no log, no list of processes', async () => {
  const args = ['--port', '0', '--host', '0.0.0.0', '--insecure-http', '--allow-host', 'proxy.example']
  const served = await startServe({ token: TOKEN, args })
  const shown = await work(served)
  expect(shown).toContain('PATH=')
  expect(shown).not.toContain(TOKEN)
  expect((await fetch(`${served.url}/agents?token=${TOKEN}`)).status).toBe(401)
  expect(readFileSync(`/proc/${served.child.pid}/cmdline`, 'utf8')).not.toContain(TOKEN)
  const data = join(served.cwd, 'sessions')
  expect(existsSync(join(data, '.agentry', 'token'))).toBe(false)
  for (const path of everythingUnder(data)) {
    if (lstatSync(path).isFile()) expect(readFileSync(path, 'latin1')).not.toContain(TOKEN)
  }
  expect(await served.stop()).toBe(0)
  expect(served.log()).toContain('"status":401')
  expect(served.log()).not.toContain(TOKEN)
})
