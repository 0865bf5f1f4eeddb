/**
 * Where file tools may go: the working directory of the session and the allowed paths, without the data directory.
 *
 * Invariants:
 * F1  a path is walked part by part from the root, each directory pinned, no call following a symbolic link: links are read and
 *     walked by hand. What counts is where the walk ends, and it cannot be led elsewhere by links that change meanwhile.
 * F2  nothing is said of what lies outside, not even whether it exists.
 * F3  the data directory is known by its identity: under no other name (a bind mount, another spelling) is it reached.
 * F4  only regular files with one name are opened: another name may lie outside, in the data directory too. Nothing waits for a
 *     FIFO, and no device is opened.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { AgentryError } from '../../../errors.ts'
import { systemErrorCode } from '../../processes/system-error-code.ts'
import type { PermissionSubject, ToolContext } from '../tool.ts'
import { type DirectoryPin, pinRoot } from './directory-pin.ts'
import { failed, fromSystem, refused } from './path-errors.ts'

/** As many as Linux follows in one path. Directories that become links while they are opened count too. */
const MAX_LINKS = 40
/** Each is a descriptor while the path is walked. */
const MAX_DEPTH = 200

export interface ConfinementOptions {
  /** Absolute. One that does not exist allows nothing. */
  allowedPaths: readonly string[]
  /** Refused always. */
  dataDirectory?: string | undefined
  /** False: as on systems without /proc/self/fd. */
  pinned?: boolean | undefined
}

/** Where a path leads to. Its owner closes it. */
export interface Place {
  /** The directory itself where `rest` is empty, else the deepest one there is on the way. */
  readonly directory: DirectoryPin
  /** One name: an entry that is no directory, or is missing; more: what is missing on the way to it. */
  readonly rest: readonly string[]
  /** Absolute, without symbolic links. */
  readonly path: string
  /** For people and models: relative to the working directory where it lies in it, else absolute. */
  readonly shown: string
  close(): void
}

export interface OpenFile {
  readonly fd: number
  readonly stat: Stats
}

export class Confinement {
  readonly #options: ConfinementOptions

  constructor(options: ConfinementOptions) {
    this.#options = options
  }

  /**
   * Walks to a path, relative ones from the working directory. Throws `path_refused` where it leads outside or into the data
   * directory, `working_dir_missing`, `tool_failed` where the walk ends early.
   */
  open(path: string, { workingDir }: Pick<ToolContext, 'workingDir'>): Place {
    if (path.includes('\0')) throw new AgentryError('invalid_input', 'path: expected no NUL character')
    const home = realDirectory(workingDir)
    const roots = [home, ...this.#options.allowedPaths.flatMap(realPathOrNone)]
    const forbidden = identityOfDirectory(this.#options.dataDirectory)
    const lexical = shownFrom(home, resolve(workingDir, path))
    const walk = walkTo(isAbsolute(path) ? path : join(home, '/') + path, this.#options.pinned)
    try {
      if (walk.pins.some(({ identity }) => identity === forbidden)) {
        throw refused(lexical, 'is in the data directory, which holds the sessions')
      }
      const [directory] = walk.pins.slice(-1)
      if (directory === undefined) throw new AgentryError('internal', 'expected a pinned directory')
      const real = join(directory.path, ...walk.rest)
      if (!roots.some((root) => isInside(root, real))) {
        throw refused(lexical, 'is outside of the working directory and of the allowed paths')
      }
      if (walk.error !== undefined) throw fromSystem(walk.error, lexical)
      for (const pin of walk.pins) if (pin !== directory) pin.close()
      const close = () => directory.close()
      return { directory, rest: walk.rest, path: real, shown: shownFrom(home, real), close }
    } catch (error) {
      for (const pin of walk.pins) pin.close()
      throw error
    }
  }

  /** As `open`, closed when `use` returns. */
  with<T>(path: string, context: Pick<ToolContext, 'workingDir'>, use: (place: Place) => T): T {
    const place = this.open(path, context)
    try {
      return use(place)
    } finally {
      place.close()
    }
  }

  /** What permission rules are matched with, absolute: where the path leads to; where that cannot be said, the path as it is written. */
  subject(path: string, context: Pick<ToolContext, 'workingDir'>): PermissionSubject {
    try {
      return { kind: 'path', text: this.with(path, context, (place) => place.path) }
    } catch {
      return { kind: 'path', text: resolve(context.workingDir, path) }
    }
  }

  /** True for the data directory. */
  isForbidden(directory: DirectoryPin): boolean {
    return directory.identity === identityOfDirectory(this.#options.dataDirectory)
  }
}

/** What is at the end of the walk; undefined: nothing. Throws what `fromSystem` makes of it. */
export function statOf(place: Place): Stats | undefined {
  const [name, ...more] = place.rest
  if (more.length > 0) return undefined
  return lstatSync(place.directory.at(name === undefined ? '.' : name), { throwIfNoEntry: false })
}

/** Opens an entry of a directory for reading, see F4. The caller closes it. `shown` is for the errors. */
export function openRegular(directory: DirectoryPin, name: string, shown: string): OpenFile {
  try {
    assertRegular(lstatSync(directory.at(name)), shown)
    const fd = openSync(
      directory.at(name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY,
    )
    try {
      const stat = fstatSync(fd)
      assertRegular(stat, shown)
      if (!directory.verify()) throw refused(shown, 'changed its place while it was opened')
      return { fd, stat }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  } catch (error) {
    throw fromSystem(error, shown)
  }
}

/** The name of the file that a place stands for. Throws where it is a directory, or lies in one that is missing. */
export function fileName(place: Place): string {
  const [name, ...more] = place.rest
  if (name === undefined) throw failed(place.shown, 'is a directory, expected a file')
  if (more.length > 0) throw failed(place.shown, 'does not exist')
  return name
}

function assertRegular(stat: Stats, shown: string): void {
  if (stat.isSymbolicLink()) throw refused(shown, 'became a symbolic link while it was opened')
  if (!stat.isFile()) throw refused(shown, 'is no regular file (a FIFO, a socket or a device)')
  if (stat.nlink > 1) {
    throw refused(shown, `has ${stat.nlink} names (hard links), of which others may lie outside`)
  }
}

interface Walk {
  /** From the root to the deepest directory reached. */
  pins: DirectoryPin[]
  rest: string[]
  /** Why the walk ended before its end. */
  error?: unknown
}

function walkTo(path: string, pinned: boolean | undefined): Walk {
  const root = pinRoot(pinned)
  const pins = [root]
  let pending = path.split('/')
  let links = 0
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    const directory = pins.at(-1) ?? root
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (pins.length > 1) pins.pop()?.close()
      continue
    }
    const rest = [name, ...pending.filter((part) => part !== '' && part !== '.')]
    try {
      const stat = lstatSync(directory.at(name), { throwIfNoEntry: false })
      if (stat === undefined) return missing(pins, rest)
      if (stat.isSymbolicLink()) {
        if (++links > MAX_LINKS) return { pins, rest: [name], error: tooManyLinks() }
        const target = readlinkSync(directory.at(name))
        pending = [...target.split('/'), ...pending]
        if (isAbsolute(target)) for (const pin of pins.splice(1)) pin.close()
      } else if (stat.isDirectory()) {
        if (pins.length > MAX_DEPTH) return { pins, rest, error: new Error('the path is too deep') }
        pins.push(directory.child(name))
      } else {
        return rest.length === 1 ? { pins, rest } : { pins, rest: [name], error: noDirectory() }
      }
    } catch (error) {
      const changed = ['ENOTDIR', 'ELOOP', 'ENOENT', 'EINVAL'].includes(systemErrorCode(error) ?? '')
      if (!changed || ++links > MAX_LINKS) return { pins, rest: [name], error }
      pending.unshift(name)
    }
  }
  return { pins, rest: [] }
}

/** `..` behind something that is missing leads nowhere; it is not taken back by hand, as a link may come to be there. */
function missing(pins: DirectoryPin[], rest: string[]): Walk {
  if (!rest.includes('..')) return { pins, rest }
  return { pins, rest: rest.slice(0, 1), error: new Error(`${rest[0]} does not exist`) }
}

function tooManyLinks(): Error {
  return new Error('too many symbolic links, or a loop of them')
}

function noDirectory(): Error {
  return Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
}

function realDirectory(workingDir: string): string {
  try {
    if (statSync(workingDir).isDirectory()) return realpathSync(workingDir)
  } catch {
    // Told below.
  }
  throw new AgentryError(
    'working_dir_missing',
    `the working directory of the session does not exist or is not a directory: ${workingDir}`,
    { data: { workingDir } },
  )
}

function realPathOrNone(path: string): string[] {
  try {
    return [realpathSync(path)]
  } catch {
    return []
  }
}

function identityOfDirectory(path: string | undefined): string | undefined {
  const stat = path === undefined ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
}

function shownFrom(home: string, path: string): string {
  if (!isInside(home, path)) return path
  return relative(home, path) || '.'
}
