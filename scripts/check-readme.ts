/**
 * Runs what README.md says can be run (see readme-blocks.ts), in order, in one temporary copy of the project: what an earlier
 * block left is there for a later one, and nothing of this checkout is touched.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { runnableBlocks, type RunnableBlock } from './readme-blocks.ts'

const BLOCK_TIMEOUT_MS = 120_000

const root = resolve(import.meta.dirname, '..')
const blocks = runnableBlocks(readFileSync(join(root, 'README.md'), 'utf8'))
if (blocks.length === 0)
  throw new Error('README.md: expected at least one block marked "sh runnable", received none')

const copy = mkdtempSync(join(tmpdir(), 'agentry-readme-'))
try {
  copyProject(copy)
  const failures = blocks.map((block) => run(block, copy)).filter((failure) => failure !== undefined)
  for (const failure of failures) console.error(`FAILED ${failure}`)
  console.log(`README.md: ${blocks.length - failures.length} of ${blocks.length} blocks work`)
  process.exitCode = failures.length === 0 ? 0 : 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}

/** What is in git or could be, with this checkout's packages, built. */
function copyProject(target: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  for (const path of listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    copyFileSync(join(root, path), join(target, path))
  }
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'))
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: target, stdio: 'inherit' })
  // Commands that ask git find a repository, and not one above the temporary directory.
  execFileSync('git', ['init', '--quiet'], { cwd: target, stdio: 'inherit' })
}

/** Why the block does not work; undefined where it does. */
function run(block: RunnableBlock, cwd: string): string | undefined {
  const where = `README.md:${block.line}`
  console.log(`\n${where}\n${block.code.replaceAll(/^/gm, '  ')}`)
  const [command, args] = commandOf(block, cwd)
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BLOCK_TIMEOUT_MS,
  })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (error) return `${where}: ${error.message}`
  if (status !== 0) return `${where}: expected exit code 0, received ${signal ?? status}`
  if (block.output !== undefined && !stdout.includes(block.output)) {
    return `${where}: expected it to print ${JSON.stringify(block.output)}`
  }
  return undefined
}

function commandOf(block: RunnableBlock, cwd: string): [string, string[]] {
  if (block.language === 'sh') return ['bash', ['-euo', 'pipefail', '-c', block.code]]
  // Inside the copy, so that it finds the package by its own name.
  const module = join(cwd, `readme-${block.line}.ts`)
  writeFileSync(module, block.code)
  return [process.execPath, [module]]
}
