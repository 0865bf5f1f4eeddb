import type { SystemCalls } from '../../src/store/durable-fs.ts'

/** The same calls, with `before` called ahead of each, closing left out: what that fails at, a crash just before the next shows too. */
export function observeCalls(calls: SystemCalls, before: (name: keyof SystemCalls) => void): SystemCalls {
  return {
    ...calls,
    open(path, flags, mode) {
      before('open')
      return calls.open(path, flags, mode)
    },
    read(fd, buffer, offset, length, position) {
      before('read')
      return calls.read(fd, buffer, offset, length, position)
    },
    write(fd, buffer, offset, length) {
      before('write')
      return calls.write(fd, buffer, offset, length)
    },
    fdatasync(fd) {
      before('fdatasync')
      calls.fdatasync(fd)
    },
    fsync(fd) {
      before('fsync')
      calls.fsync(fd)
    },
    ftruncate(fd, length) {
      before('ftruncate')
      calls.ftruncate(fd, length)
    },
    fstat(fd) {
      before('fstat')
      return calls.fstat(fd)
    },
    lstat(path) {
      before('lstat')
      return calls.lstat(path)
    },
    rename(from, to) {
      before('rename')
      calls.rename(from, to)
    },
    unlink(path) {
      before('unlink')
      calls.unlink(path)
    },
    mkdir(path, mode) {
      before('mkdir')
      calls.mkdir(path, mode)
    },
    readdir(path) {
      before('readdir')
      return calls.readdir(path)
    },
  }
}

/** Thrown where a crash would end the process. */
export class Crash extends Error {
  override readonly name = 'Crash'
}
