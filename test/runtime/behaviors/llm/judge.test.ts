import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
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

test('a call is judged by what it is about', () => {
  const judge = createJudge({ write: { allow: ['src/**'], deny: ['/home/me/secret'] } })
  expect(judge(write, { path: 'src/a' }, context, [])).toEqual({ decision: 'allow' })
  expect(judge(write, { path: 'secret' }, context, [])).toEqual({
    decision: 'deny',
    reason: 'a rule of write denies: /home/me/secret',
  })
})

test('a question shows the whole subject, and what its answer would grant', () => {
  const judge = createJudge({})
  const path = 'long/'.repeat(2_000)
  const grant = { tool: 'write', pattern: path }
  expect(judge(write, { path }, context, [])).toMatchObject({ decision: 'ask', subject: path, grant })
  expect(judge(bare, {}, context, [])).toMatchObject({
    decision: 'ask',
    subject: '',
    grant: { tool: 'bare' },
  })
  expect(judge(write, { path }, context, [grant])).toEqual({ decision: 'allow' })
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
    judge(shell, { command }, { workingDir: join(base, workingDir) }, []).decision
  expect(decisionIn('project', 'cat sessions/a')).toBe('ask')
  expect(decisionIn('link', 'cat sessions/a')).toBe('ask')
  expect(decisionIn('project/sessions', 'cat a')).toBe('ask')
  expect(decisionIn('project', 'cat a')).toBe('allow')
  expect(createJudge({})(shell, { command: 'cat sessions/a' }, { workingDir: base }, []).decision).toBe(
    'allow',
  )
})
