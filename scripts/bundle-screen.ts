/**
 * Makes src/dashboard/view of a build one file, Ink and React in it. Ink is some five hundred modules, most of which it does not use
 * (es-toolkit): finding and compiling them takes two thirds of the time until a dashboard draws its first frame.
 *
 * What else of this package it uses stays outside, and so does string-width, with which the model measures too.
 */
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const NOTICE =
  '/*! Ink, React and the packages that they need are in this file, each under the licence in its package. */'

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
  await bundle.write({ file: mount, format: 'esm', sourcemap: true, codeSplitting: false, banner: NOTICE })
  await bundle.close()
}
