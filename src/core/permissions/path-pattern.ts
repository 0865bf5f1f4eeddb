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

export interface PathBase {
  /** Absolute, as it is configured. */
  workingDir: string
  /** The same without symbolic links. Default: it has none. */
  realDir?: string | undefined
}

/**
 * `path` is absolute, or relative to the working directory; where no base is given, an absolute pattern fits absolute paths only,
 * and a relative one relative paths. `..` is taken away by name: links must be resolved before. A path in the working directory
 * fits by either spelling of that. `loosely`: relative patterns are tried from both, too.
 */
export function matchesPath(pattern: PathPattern, path: string, base?: PathBase, loosely = false): boolean {
  if (base === undefined) {
    return pattern.absolute === path.startsWith('/') && matchesNames(pattern.segments, segmentsOf(path))
  }
  const { workingDir, realDir = workingDir } = base
  const dirs = [...new Set([realDir, workingDir])].map(segmentsOf)
  const names = path.startsWith('/')
    ? segmentsOf(path)
    : resolved([...segmentsOf(realDir), ...segmentsOf(path)])
  const spellings = [names, ...dirs.flatMap((from) => dirs.flatMap((to) => moved(names, from, to)))]
  const patterns = pattern.absolute
    ? [pattern.segments]
    : dirs
        .slice(0, loosely ? dirs.length : 1)
        .map((dir) => resolvedPattern([...dir.map(literal), ...pattern.segments]))
  return patterns.some((segments) => spellings.some((spelling) => matchesNames(segments, spelling)))
}

/** The path below `to` that is below `from`; none where it is not. */
function moved(names: readonly string[], from: readonly string[], to: readonly string[]): string[][] {
  if (from === to || !from.every((name, index) => names[index] === name)) return []
  return [[...to, ...names.slice(from.length)]]
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
