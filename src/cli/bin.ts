#!/usr/bin/env node
// No static imports: an older Node must get as far as this check, to say one clear line instead of a syntax error.
const NEEDED = 24
const major = Number(process.versions.node.split('.')[0])
if (major >= NEEDED) {
  const { keepCompiled } = await import('./compile-cache.ts')
  keepCompiled(process.env)
  const { FRONT_VARIABLE } = await import('./serve-options.ts')
  const isKeeper = process.env[FRONT_VARIABLE] !== undefined && process.argv.at(-1) === '--keep'
  const { main } = await (isKeeper ? import('./keeper.ts') : import('./main.ts'))
  await main()
} else {
  process.stderr.write(`agentry: expected Node.js ${NEEDED} or newer, received ${process.versions.node}\n`)
  process.exitCode = 1
}

export {}
