/**
 * A directory that stays the one that was checked, whatever is put at its path afterwards.
 *
 * On Linux an open descriptor holds it, and `/proc/self/fd/N/name` names an entry of it: what openat(2) is for, which Node does not
 * have. Elsewhere paths are all there is: what was opened through one is checked again afterwards (`verify`).
 */
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

/** Linux only, and not among Node's constants: a descriptor that is good for nothing but naming what it stands for. */
const O_PATH = 0o10000000

export interface DirectoryPin {
  /** As it was walked to, without symbolic links. */
  readonly path: string
  /** Device and inode: the same for the same directory, whatever path leads to it. */
  readonly identity: string
  /** Names this very directory in file calls; `name`: an entry of it. */
  at(name?: string): string
  /** Pins a directory in it. Throws Node's error where `name` is none, a symbolic link included. */
  child(name: string): DirectoryPin
  /** False where the path has come to lead elsewhere, and what was opened through it may be outside. */
  verify(): boolean
  /** Idempotent. */
  close(): void
}

export const CAN_PIN: boolean = process.platform === 'linux' && existsSync('/proc/self/fd')

/** Pins the root directory. `byDescriptor`: default where the system can. */
export function pinRoot(byDescriptor: boolean = CAN_PIN): DirectoryPin {
  return byDescriptor ? pinDescriptor('/', '/') : pinPath('/')
}

function pinDescriptor(openPath: string, path: string): DirectoryPin {
  const fd = openSync(openPath, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const { dev, ino } = fstatSync(fd, { bigint: true })
  let open = true
  return {
    path,
    identity: `${dev}:${ino}`,
    at: (name) => (name === undefined ? `/proc/self/fd/${fd}` : `/proc/self/fd/${fd}/${name}`),
    child: (name) => pinDescriptor(`/proc/self/fd/${fd}/${name}`, join(path, name)),
    verify: () => true,
    close() {
      if (open) closeSync(fd)
      open = false
    },
  }
}

function pinPath(path: string): DirectoryPin {
  const identity = identityOf(path)
  return {
    path,
    identity,
    at: (name) => (name === undefined ? path : join(path, name)),
    child: (name) => pinPath(join(path, name)),
    verify: () => realpathSync(path) === path && identityOf(path) === identity,
    close: () => undefined,
  }
}

function identityOf(path: string): string {
  const stat = lstatSync(path, { bigint: true })
  if (stat.isDirectory()) return `${stat.dev}:${stat.ino}`
  throw Object.assign(new Error(`ENOTDIR: not a directory, ${path}`), { code: 'ENOTDIR' })
}
