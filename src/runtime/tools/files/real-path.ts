import { realpathSync } from 'node:fs'

/** Without symbolic links, as far as that can be said: the path itself where it leads nowhere. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
