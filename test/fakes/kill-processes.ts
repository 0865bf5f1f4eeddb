import { environmentOf, processIds } from '../../src/runtime/processes/proc-files.ts'

/** The processes whose environment has `name` with a value that begins with `start`. Empty where there is no /proc. */
export function markedProcesses(name: string, start: string): number[] {
  return processIds().filter((pid) => {
    const variables = environmentOf(pid)?.toString('latin1').split('\0') ?? []
    return variables.some((variable) => variable.startsWith(`${name}=${start}`))
  })
}
