import { expect, test } from 'vitest'
import { runnableBlocks } from '../../scripts/readme-blocks.ts'

const fence = '```'

test('finds the marked blocks in order, with the output that is promised behind them', () => {
  const markdown = [
    '# Agentry',
    `${fence}sh`,
    'rm -rf /',
    fence,
    `${fence}sh runnable`,
    'echo one',
    'echo two',
    fence,
    'It prints:',
    `${fence}text output`,
    'two',
    fence,
    `${fence}ts runnable`,
    'console.log(1)',
    fence,
  ].join('\n')
  expect(runnableBlocks(markdown)).toEqual([
    { language: 'sh', code: 'echo one\necho two', output: 'two', line: 6 },
    { language: 'ts', code: 'console.log(1)', output: undefined, line: 14 },
  ])
})

test('takes nothing from inside another block', () => {
  const markdown = ['````md', `${fence}sh runnable`, 'echo', fence, '````'].join('\n')
  expect(runnableBlocks(markdown)).toEqual([])
})

test.each([
  ['a language that cannot be run', `${fence}go runnable\n${fence}`, 'line 2: expected sh or ts'],
  ['an output behind nothing', `${fence}text output\n${fence}`, 'line 2: expected a runnable block'],
  ['a block without an end', `${fence}sh runnable\necho`, 'line 2: expected the end of the block'],
])('refuses %s', (_, markdown, message) => {
  expect(() => runnableBlocks(markdown)).toThrow(message)
})
