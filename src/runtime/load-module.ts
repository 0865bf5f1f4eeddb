import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { offerOwnPackages } from './own-packages.ts'

/**
 * The namespace of a user's module, for which `agentry` and `zod` need not be installed. Throws what the module throws, or what Node
 * says where it does not load.
 *
 * `require` reads files on this thread; `import()` reads them through the pool that all threads share, where the blocked reads of one
 * agent would hold up the start of another. Only a module that awaits at its top level needs the latter.
 */
export async function loadModule(path: string): Promise<unknown> {
  offerOwnPackages()
  const require: (path: string) => unknown = createRequire(import.meta.url)
  try {
    return require(path)
  } catch (error) {
    if (!isAsyncModuleError(error)) throw error
    const loaded: unknown = await import(pathToFileURL(path).href)
    return loaded
  }
}

/** The default export of a module; undefined where it has none. */
export function defaultOf(loaded: unknown): unknown {
  return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined
}

function isAsyncModuleError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_ASYNC_MODULE'
}
