/**
 * Makes src/dashboard/view of a build one file, Ink and React in it. Ink is some five hundred modules, most of which it does not use
 * (es-toolkit): finding and compiling them takes two thirds of the time until a dashboard draws its first frame.
 *
 * What else of this package it uses stays outside, and so does string-width, with which the model measures too.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const NOTICE =
  '/*! Ink, React and the packages that they need are in this file: their licences are in licences.txt beside it. */'

/** `dist`: the folder of the build. */
export async function bundleScreen(dist: string): Promise<void> {
  const sources = join(dist, 'src')
  const view = join(sources, 'dashboard', 'view')
  const mount = join(view, 'mount.js')
  // It reads the variable that is a constant in all the rest.
  const production = join(view, 'production.js')
  const bundle = await rolldown({
    input: mount,
    platform: 'node',
    external: (id, _importer, isResolved) =>
      isResolved
        ? id === production || (id.startsWith(sources) && !id.startsWith(view))
        : id === 'string-width',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    plugins: [
      {
        name: 'without-devtools', // Ink connects to them where DEV is set; the package that it needs for that is not installed.
        load: (id) => (id.endsWith('/ink/build/devtools.js') ? 'export {}' : null),
      },
    ],
  })
  const { output } = await bundle.write({
    file: mount,
    format: 'esm',
    sourcemap: true,
    codeSplitting: false,
    banner: NOTICE,
  })
  await bundle.close()
  writeFileSync(join(view, 'licences.txt'), licencesOf(output[0].moduleIds))
}

/** The licences of the packages that these modules are of; of one without a file, what its package.json says. */
function licencesOf(modules: readonly string[]): string {
  const folders = modules.flatMap((module) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0] ?? [])
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const name = folder.slice(folder.lastIndexOf(NODE_MODULES) + NODE_MODULES.length)
    return `${name}\n\n${licenceIn(folder).trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(72)}\n\n`)
}

const NODE_MODULES = '/node_modules/'

/** Throws where the package says nothing: it could not be given on. */
function licenceIn(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8')
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'license' in manifest) {
    return `Licence: ${String(manifest.license)}`
  }
  throw new Error(`${folder} has no licence`)
}
