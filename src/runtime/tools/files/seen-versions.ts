/** Which version of a file each session has seen last: a write over another one is a conflict. In memory, for one stay. */

/** The oldest are forgotten: their next write is taken as that of a file never read. */
const MAX_FILES = 10_000

export class SeenVersions {
  readonly #versions = new Map<string, string>()

  /** Undefined: the session has not read the file, or it is forgotten. */
  of(sessionId: string, path: string): string | undefined {
    return this.#versions.get(`${sessionId}:${path}`)
  }

  saw(sessionId: string, path: string, version: string): void {
    const key = `${sessionId}:${path}`
    this.#versions.delete(key)
    this.#versions.set(key, version)
    const [oldest] = this.#versions.size > MAX_FILES ? this.#versions.keys() : []
    if (oldest !== undefined) this.#versions.delete(oldest)
  }
}
