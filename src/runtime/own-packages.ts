import { createRequire, findPackageJSON, registerHooks } from 'node:module'

/** What the module of a behavior or a tool is written with, and their subpaths. */
const OFFERED = /^(?:agentry|zod)(?:\/|$)/

let offered = false

/**
 * Lets modules of this thread that are loaded from now on import `agentry`, `agentry/…` and `zod` wherever they lie: where no such
 * package is installed for the importing module, this package and its own zod are taken. One that is installed is taken as ever, and so
 * are its errors; nothing changes for any other package. Idempotent, and for the life of the thread: a module may import as late as it
 * likes.
 */
export function offerOwnPackages(): void {
  if (offered) return
  offered = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (!OFFERED.test(specifier) || isInstalled(specifier, context.parentURL)) throw error
        const parentURL = import.meta.url
        if (!context.conditions.includes('require')) return nextResolve(specifier, { ...context, parentURL })
        // For a `require` Node looks beside the module that calls it, whatever parentURL says.
        return nextResolve(createRequire(parentURL).resolve(specifier), context)
      }
    },
  })
}

/** True also for a package that is broken: its own error is what helps then. */
function isInstalled(specifier: string, importer: string | undefined): boolean {
  if (importer === undefined || importer === import.meta.url) return true
  try {
    return findPackageJSON(specifier, importer) !== undefined
  } catch {
    return false
  }
}
