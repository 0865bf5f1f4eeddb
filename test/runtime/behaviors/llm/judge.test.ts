import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { Json } from '../../../../src/core/json.ts'
import { Reaper } from '../../../../src/runtime/processes/reaper.ts'
import { createBuiltInTools } from '../../../../src/runtime/tools/built-in-tools.ts'
import { createJudge } from '../../../../src/runtime/behaviors/llm/judge.ts'
import { defineTool } from '../../../../src/runtime/tools/define-tool.ts'
import { errorWith } from '../../../error-with.ts'

const write = defineTool({
  name: 'write',
  description: 'Writes.',
  input: z.object({ path: z.string() }),
  subject: ({ path }) => ({ kind: 'path', text: path }),
  execute: () => 'written',
})
const bare = defineTool({ name: 'bare', description: 'Does.', input: z.object({}), execute: () => 'done' })
const context = { workingDir: '/home/me' }

const both = (input: Json) => ({ parsed: input, given: input })

test('a call is judged by what it is about', () => {
  const judge = createJudge({ write: { allow: ['src/**'], deny: ['/home/me/secret'] } })
  expect(judge(write, both({ path: 'src/a' }), context, [])).toEqual({ decision: 'allow' })
  expect(judge(write, both({ path: 'secret' }), context, [])).toEqual({
    decision: 'deny',
    reason: 'a rule of write denies: /home/me/secret',
  })
})

test('a question shows the whole subject, and what its answer would grant', () => {
  const judge = createJudge({})
  const path = `/${'long/'.repeat(2_000)}`
  const grant = { tool: 'write', pattern: path.slice(0, -1) }
  const subject = grant.pattern
  expect(judge(write, both({ path }), context, [])).toMatchObject({ decision: 'ask', subject, grant })
  expect(judge(write, both({ path }), context, [grant])).toEqual({ decision: 'allow' })
})

test('a question about a tool that does not say what its calls are about shows all that the model gave it', () => {
  const judge = createJudge({})
  const verdict = judge(bare, { parsed: new Map(), given: { id: 1, a: 'b' } }, context, [])
  const pattern = '{"a":"b","id":1}'
  expect(verdict).toMatchObject({ decision: 'ask', subject: pattern, grant: { tool: 'bare', pattern } })
  const grants = [{ tool: 'bare', pattern }]
  expect(judge(bare, both({ id: 1, a: 'b' }), context, grants)).toEqual({ decision: 'allow' })
  expect(judge(bare, both({ id: 2, a: 'b' }), context, grants)).toMatchObject({ decision: 'ask' })
  expect(createJudge({ bare: { deny: ['b'] } })(bare, both({ id: 1, a: 'b' }), context, [])).toMatchObject({
    decision: 'deny',
  })
})

test('a question shows what else a call was given: the content of a file, the change, the message', () => {
  const judge = createJudge({ '*': 'ask' })
  const tools = createBuiltInTools({ reaper: new Reaper(), allowedPaths: [], outputBytes: 1_000 })
  const detailOf = (name: string, given: Json) => {
    const tool = tools.get(name)
    if (tool === undefined) throw new Error(`there is no tool ${name}`)
    const verdict = judge(tool, { parsed: tool.parse(given), given }, { workingDir: tmpdir() }, [])
    return verdict.decision === 'ask' ? verdict.detail : verdict
  }
  expect(detailOf('write', { path: 'a.txt', content: 'one\ntwo' })).toBe('content:\none\ntwo')
  expect(detailOf('edit', { path: 'a.txt', oldText: 'x', newText: 'y', replaceAll: true })).toBe(
    'oldText: x\nnewText: y\nreplaceAll: true',
  )
  expect(detailOf('shell', { command: 'ls' })).toBeUndefined()
  expect(detailOf('todo', { items: [] })).toBeUndefined()
  const long = detailOf('write', { path: 'a.txt', content: `begin${'x'.repeat(50_000)}end` })
  expect(long).toMatch(/^content:\nbeginx+\n… 46008 characters are not shown …\nx+end$/u)
})

test('a grant for a path is for that file alone, wherever the session works by then', () => {
  const judge = createJudge({})
  const verdict = judge(write, both({ path: 'x' }), context, [])
  const grant = { tool: 'write', pattern: '/home/me/x' }
  expect(verdict).toMatchObject({ decision: 'ask', subject: '/home/me/x', grant })
  expect(judge(write, both({ path: '../me/x' }), { workingDir: '/home/you' }, [grant])).toEqual({
    decision: 'allow',
  })
  expect(judge(write, both({ path: 'x' }), { workingDir: '/home/you' }, [grant])).toMatchObject({
    decision: 'ask',
  })
})

test('a path is denied by where it leads to, also where the working directory is a link', () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'agentry-judge-')))
  onTestFinished(() => rmSync(base, { recursive: true }))
  mkdirSync(join(base, 'project/secrets'), { recursive: true })
  symlinkSync('project', join(base, 'link'))
  const tools = createBuiltInTools({ reaper: new Reaper(), allowedPaths: [], outputBytes: 1_000 })
  const real = tools.get('write')
  if (real === undefined) throw new Error('there is no tool write')
  for (const deny of [join(base, 'project/secrets/**'), join(base, 'link/secrets/**'), 'secrets/**']) {
    const judge = createJudge({ write: { deny: [deny], default: 'allow' } })
    for (const workingDir of [join(base, 'project'), join(base, 'link')]) {
      const decisionOf = (path: string) =>
        judge(real, both({ path, content: '' }), { workingDir }, []).decision
      expect(decisionOf('secrets/key')).toBe(
        deny.includes('link') && !workingDir.includes('link') ? 'allow' : 'deny',
      )
      expect(decisionOf('other')).toBe('allow')
    }
  }
})

test('rules that cannot be read are refused before anything is judged', () => {
  expect(() => createJudge({ shell: { allow: ['ls; rm'] } })).toThrow(
    errorWith('invalid_config', 'shell.allow'),
  )
})

test('a command that reads is not harmless where it reads the data directory, by whatever name that is configured', () => {
  const base = mkdtempSync(join(tmpdir(), 'agentry-judge-'))
  onTestFinished(() => rmSync(base, { recursive: true }))
  mkdirSync(join(base, 'project/sessions'), { recursive: true })
  symlinkSync('project', join(base, 'link'))
  const shell = defineTool({
    name: 'shell',
    description: 'Runs.',
    input: z.object({ command: z.string() }),
    subject: ({ command }) => ({ kind: 'command', text: command }),
    execute: () => 'ran',
  })
  const judge = createJudge({}, join(base, 'link/sessions'))
  const decisionIn = (workingDir: string, command: string) =>
    judge(shell, both({ command }), { workingDir: join(base, workingDir) }, []).decision
  expect(decisionIn('project', 'cat sessions/a')).toBe('ask')
  expect(decisionIn('link', 'cat sessions/a')).toBe('ask')
  expect(decisionIn('project/sessions', 'cat a')).toBe('ask')
  expect(decisionIn('project', 'cat a')).toBe('allow')
  expect(createJudge({})(shell, both({ command: 'cat sessions/a' }), { workingDir: base }, []).decision).toBe(
    'allow',
  )
})
