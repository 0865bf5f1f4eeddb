/**
 * Imported before anything of React: it chooses its build when it is loaded, and the one for development is slower and keeps measurements
 * of every render. The environment is put back by `afterReact`, as the processes that this one starts inherit it.
 */
const before = process.env['NODE_ENV']
process.env['NODE_ENV'] ??= 'production'

/** React is loaded. */
export function afterReact(): void {
  if (before === undefined) delete process.env['NODE_ENV']
}
