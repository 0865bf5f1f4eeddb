/** Holds import rules against sources: see rules.ts for the rules of this project. */
import { posix } from 'node:path'
import { importsOf, type Import } from './imports.ts'

export interface SourceFile {
  /** From the root of the project, with slashes. */
  path: string
  source: string
}

export interface Layer {
  name: string
  /** Files and folders (ending in a slash); of several layers that fit, the longest path wins. */
  paths: string[]
  /** Layers that it may use. Its own files may always use each other. */
  imports: string[]
  /** Layers of which it may use types alone. */
  types?: string[]
}

/** A module from outside, and the files or folders that may meet it. */
export interface Door {
  module: string
  paths: string[]
  why: string
}

export interface Rules {
  layers: Layer[]
  /** Every package has a door; built-in modules without one are free. */
  doors: Door[]
  /** Files that may import what is only known when the program runs. */
  computedImports: Omit<Door, 'module'>[]
}

/** One sentence for each import that breaks a rule; empty when all hold. */
export function violations(files: readonly SourceFile[], rules: Rules): string[] {
  const known = new Set(files.map((file) => file.path))
  const found: string[] = []
  const valueImports = new Map<string, string[]>()
  for (const { path, source } of files) {
    const from = layerOf(path, rules)
    if (from === undefined) {
      found.push(`${path}: belongs to no layer`)
      continue
    }
    const targets: string[] = []
    valueImports.set(path, targets)
    for (const item of importsOf(source, path.endsWith('.tsx') ? 'tsx' : 'ts')) {
      const where = `${path}:${item.line}`
      if (item.specifier === undefined) {
        if (!rules.computedImports.some((door) => isIn(path, door.paths))) {
          found.push(`${where}: computes what it imports`)
        }
      } else if (item.specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(path), item.specifier)
        if (item.kind === 'value') targets.push(target)
        if (!known.has(target)) found.push(`${where}: imports ${target}, which is not there`)
        else found.push(...wrongDirection(where, from, target, item.kind, rules))
      } else {
        found.push(...wrongDoor(where, path, item.specifier, rules))
      }
    }
  }
  return [...found, ...cycles(valueImports)]
}

function wrongDirection(
  where: string,
  from: Layer,
  target: string,
  kind: Import['kind'],
  rules: Rules,
): string[] {
  const to = layerOf(target, rules)
  if (to === undefined || to === from || from.imports.includes(to.name)) return []
  if (!from.types?.includes(to.name)) return [`${where}: ${from.name} imports ${to.name} (${target})`]
  return kind === 'type' ? [] : [`${where}: ${from.name} imports more than types of ${to.name} (${target})`]
}

function wrongDoor(where: string, path: string, specifier: string, rules: Rules): string[] {
  const door = rules.doors.find(({ module }) => specifier === module || specifier.startsWith(`${module}/`))
  if (door === undefined) {
    return specifier.startsWith('node:') ? [] : [`${where}: imports ${specifier}, a package without a door`]
  }
  return isIn(path, door.paths) ? [] : [`${where}: imports ${specifier} past its door (${door.why})`]
}

function layerOf(path: string, { layers }: Rules): Layer | undefined {
  const fits = layers.flatMap((layer) =>
    layer.paths.filter((prefix) => isIn(path, [prefix])).map((prefix) => ({ layer, prefix })),
  )
  return fits.sort((a, b) => b.prefix.length - a.prefix.length)[0]?.layer
}

function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
}

/** Files whose values need each other, each ring once, from its first file by name. */
function cycles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const rings = new Set<string>()
  const done = new Set<string>()
  const visit = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) {
      const ring = trail.slice(start)
      const first = ring.indexOf(ring.toSorted()[0] ?? path)
      const ordered = [...ring.slice(first), ...ring.slice(0, first)]
      rings.add([...ordered, ordered[0]].join(' -> '))
    } else if (!done.has(path)) {
      for (const target of imports.get(path) ?? []) visit(target, [...trail, path])
      done.add(path)
    }
  }
  for (const path of imports.keys()) visit(path, [])
  return [...rings].map((ring) => `a ring of imports: ${ring}`)
}
