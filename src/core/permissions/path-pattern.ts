/**
 * Patterns over paths: `*` and `?` within a name, `**` as a name of its own for any number of directories. `src/**` is `src` and
 * everything in it. A name is matched by its letters as they are; `*` takes names that begin with a dot.
 */
import { type Glob, literal, literalOf, matchesGlob, parseGlob } from './glob.ts'

export interface PathPattern {
  absolute: boolean
  /** `**` stands for any number of names. */
  segments: readonly ('**' | Glob)[]
}

export function parsePathPattern(source: string): PathPattern {
  const names = segmentsOf(source)
  return {
    absolute: source.startsWith('/'),
    segments: names.map((name) => (name === '**' ? '**' : parseGlob(name, { questionMarks: true }))),
  }
}

/**
 * `path` is absolute, or relative to the working directory; where that is not given, an absolute pattern fits absolute paths
 * only, and a relative one relative paths. `..` is taken away by name: links must be resolved before.
 */
export function matchesPath(pattern: PathPattern, path: string, workingDir?: string): boolean {
  const base = workingDir === undefined ? undefined : segmentsOf(workingDir)
  if (pattern.absolute === path.startsWith('/')) return matchesNames(pattern.segments, segmentsOf(path))
  if (base === undefined) return false
  if (pattern.absolute) return matchesNames(pattern.segments, resolved([...base, ...segmentsOf(path)]))
  const names = segmentsOf(path)
  // Outside of the working directory, where relative patterns lead only by `..`.
  return matchesNames(resolvedPattern([...base.map(literal), ...pattern.segments]), names)
}

function segmentsOf(path: string): string[] {
  return resolved(path.split('/').filter((name) => name !== '' && name !== '.'))
}

function resolved(names: readonly string[]): string[] {
  const kept: string[] = []
  for (const name of names) {
    if (name === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else kept.push(name)
  }
  return kept
}

/** `..` of the pattern, taken away with the name before it. */
function resolvedPattern(segments: PathPattern['segments']): PathPattern['segments'] {
  const kept: ('**' | Glob)[] = []
  for (const segment of segments) {
    if (segment !== '**' && kept.length > 0 && literalOf(segment) === '..') kept.pop()
    else kept.push(segment)
  }
  return kept
}

/** One row of a table per segment of the pattern: which beginnings of the path it takes. */
function matchesNames(segments: PathPattern['segments'], names: readonly string[]): boolean {
  let row = names.map(() => false)
  row.unshift(true)
  for (const segment of segments) {
    const next = [segment === '**' && row[0] === true]
    for (const [index, name] of names.entries()) {
      next.push(
        segment === '**'
          ? next[index] === true || row[index + 1] === true
          : row[index] === true && matchesGlob(segment, name),
      )
    }
    row = next
  }
  return row[names.length] === true
}
