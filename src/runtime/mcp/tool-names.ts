/** The names under which the tools of MCP servers are offered to a model. Pure. */
import { createHash } from 'node:crypto'

/** What all providers take: 1 to 64 of A-Z a-z 0-9 _ -. */
const MAX_LENGTH = 64
const HASH_LENGTH = 8

export interface ToolKey {
  server: string
  tool: string
}

/**
 * A name for each key, in their order: `server__tool`, with `_` for what a name may not hold. Where that is too long, or
 * two keys come to the same, a hash of the key ends the name: it does not depend on the order in which servers list.
 */
export function toolNames(keys: readonly ToolKey[]): string[] {
  const plain = keys.map((key) => `${key.server}__${key.tool}`)
  const candidates = plain.map((name) => sanitise(name))
  const fits = (index: number): boolean => plain[index] === candidates[index]
  const takers = new Map<string, number[]>()
  for (const [index, name] of candidates.entries()) {
    takers.set(name, [...(takers.get(name) ?? []), index])
  }
  return keys.map((key, index) => {
    const name = candidates[index] ?? ''
    const rivals = takers.get(name) ?? []
    const keeps =
      name.length <= MAX_LENGTH &&
      (rivals.length === 1 || (fits(index) && rivals.filter((rival) => fits(rival)).length === 1))
    return keeps ? name : withHash(name, key)
  })
}

/** `_` for each character that no name may hold. */
function sanitise(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, '_')
}

function withHash(name: string, { server, tool }: ToolKey): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([server, tool]))
    .digest('hex')
  return `${name.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash.slice(0, HASH_LENGTH)}`
}
