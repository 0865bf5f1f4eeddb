/**
 * Makes src/cli/bin.js of a build, and all that the command loads of this package, a few files: src/command/*.js beside it, one for each
 * thing that is loaded late. Finding and compiling a hundred and seventy modules was a sixth of the CPU time that `agentry serve` took until its first answer.
 *
 * The modules stay where they are for the library and the screen, but for those of src/cli, which nothing else can import. So a process
 * that draws has the few functions of the model that the screen uses twice: they have no state. Packages stay outside.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** `dist`: the folder of the build. */
export async function bundleCommand(dist: string): Promise<void> {
  const sources = join(dist, 'src')
  const command = join(sources, 'cli')
  const screen = join(sources, 'dashboard', 'view', 'mount.js')
  const bundle = await rolldown({
    input: { 'cli/bin': join(command, 'bin.js') },
    platform: 'node',
    external: (id, _importer, isResolved) =>
      isResolved ? id === screen || id.includes('/node_modules/') : !/^[./]/.test(id),
  })
  await bundle.write({
    dir: sources,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    // As deep as the modules were: they name other files by their place.
    chunkFileNames: 'command/[name].js',
  })
  await bundle.close()
  for (const name of readdirSync(command)) {
    if (!name.startsWith('bin.')) rmSync(join(command, name), { recursive: true })
  }
}
