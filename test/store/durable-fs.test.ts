import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAgentryError } from '../../src/errors.ts'
import { createFile, type OpenMode, systemFs, writeFileAtomic } from '../../src/store/durable-fs.ts'
import { hasErrno } from '../../src/store/storage-errors.ts'
import { DataDirectory } from '../fakes/data-directory.ts'
import { FailingFs } from '../fakes/failing-fs.ts'

const newPath = (name = 'file'): string => join(new DataDirectory().path, name)

test('no room is storage_full, everything else storage_failed, and the message names operation, path and errno', () => {
  const path = newPath()
  for (const [errno, code] of [
    ['ENOSPC', 'storage_full'],
    ['EDQUOT', 'storage_full'],
    ['EFBIG', 'storage_full'],
    ['EIO', 'storage_failed'],
    ['EROFS', 'storage_failed'],
  ] as const) {
    const failing = new FailingFs()
    failing.fail('open', errno)
    const error = thrownBy(() => failing.fs.open(path, 'create'))
    expect(isAgentryError(error, code)).toBe(true)
    expect(hasErrno(error, errno)).toBe(true)
    expect(String(error)).toContain(`open ${path}: ${errno}`)
  }
})

test('an error of the system is said once: its operation, its path, its reason', () => {
  const path = newPath('missing')
  const error = thrownBy(() => systemFs.open(path, 'read'))
  expect(error).toMatchObject({ message: `open ${path}: ENOENT: no such file or directory` })
})

test('a short write is continued until everything is there', () => {
  const failing = new FailingFs()
  failing.limitWrites(3)
  const path = newPath()
  createFile(failing.fs, path, 'more than three bytes')
  expect(readFileSync(path, 'utf8')).toBe('more than three bytes')
})

test('files are made 0600 and folders 0700, the missing ones above too', () => {
  const folder = newPath('a/b/c')
  systemFs.makeDirectory(folder)
  systemFs.makeDirectory(folder)
  createFile(systemFs, join(folder, 'file'), 'x')
  writeFileAtomic(systemFs, join(folder, 'atomic'), 'x')
  for (const name of ['file', 'atomic']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  for (const path of [folder, join(folder, '..'), join(folder, '../..')]) {
    expect(statSync(path).mode & 0o777).toBe(0o700)
  }
})

test('makeDirectory takes a symlink to a folder, and refuses a file', () => {
  const folder = newPath('link')
  const target = newPath('target')
  mkdirSync(target)
  symlinkSync(target, folder)
  systemFs.makeDirectory(folder)
  const file = newPath()
  writeFileSync(file, '')
  expect(
    isAgentryError(
      thrownBy(() => systemFs.makeDirectory(file)),
      'storage_failed',
    ),
  ).toBe(true)
})

test('makeDirectory says what the system says of a folder that is there and takes none', () => {
  const failing = new FailingFs()
  const path = newPath('folder')
  failing.fail('mkdir', 'ENOENT')
  const error = thrownBy(() => failing.fs.makeDirectory(path))
  expect(hasErrno(error, 'ENOENT'), String(error)).toBe(true)
})

test('what is no regular file is refused at once, in every mode: symlink, FIFO, folder, device', () => {
  const real = newPath()
  writeFileSync(real, 'real')
  const link = newPath('link')
  symlinkSync(real, link)
  const fifo = newPath('fifo')
  execFileSync('mkfifo', [fifo])
  const folder = newPath('folder')
  mkdirSync(folder)
  for (const mode of ['read', 'append'] as const satisfies OpenMode[]) {
    for (const path of [link, fifo, folder, '/dev/null']) {
      const error = thrownBy(() => systemFs.open(path, mode))
      expect(
        hasErrno(error, 'ELOOP', 'EISDIR', 'not a regular file'),
        `${mode} ${path}: ${String(error)}`,
      ).toBe(true)
    }
  }
  expect(
    hasErrno(
      thrownBy(() => systemFs.open(real, 'create')),
      'EEXIST',
    ),
  ).toBe(true)
  expect(readFileSync(real, 'utf8')).toBe('real')
})

test('an append goes to the end of the file, also behind what another has appended', () => {
  const path = newPath()
  createFile(systemFs, path, 'one ')
  const first = systemFs.open(path, 'append')
  const second = systemFs.open(path, 'append')
  first.append(Buffer.from('two '))
  second.append(Buffer.from('three '))
  first.append(Buffer.from('four'))
  first.truncate('one two three'.length)
  expect(first.read(100, 4).toString()).toBe('two three')
  first.close()
  first.close()
  second.close()
  expect(readFileSync(path, 'utf8')).toBe('one two three')
})

test('a file that is not there is told apart from one that cannot be looked at', () => {
  const path = newPath()
  expect(systemFs.info(path)).toBeUndefined()
  expect(systemFs.unlink(path)).toBe(false)
  expect(
    hasErrno(
      thrownBy(() => systemFs.readFile(path)),
      'ENOENT',
    ),
  ).toBe(true)
  expect(
    hasErrno(
      thrownBy(() => systemFs.info(`${path}\0`)),
      'ERR_INVALID_ARG_VALUE',
    ),
  ).toBe(true)
})

test('writeFileAtomic gives the old content or the new, wherever it is cut off', () => {
  const failing = new FailingFs()
  const path = newPath()
  writeFileAtomic(failing.fs, path, 'old')
  failing.mend()
  writeFileAtomic(failing.fs, path, 'new')
  const calls = failing.names.length
  expect(calls).toBeGreaterThan(5)
  for (let n = 1; n <= calls; n++) {
    for (const tearing of [false, true]) {
      failing.mend()
      writeFileAtomic(failing.fs, path, 'old')
      failing.crashAt(n, { tearing })
      expect(() => writeFileAtomic(failing.fs, path, 'new')).toThrow('at call')
      expect(readFileSync(path, 'utf8')).toMatch(/^(old|new)$/)
    }
  }
})

test('writeFileAtomic that fails leaves the old content and no temp file', () => {
  const failing = new FailingFs()
  const path = newPath()
  writeFileAtomic(failing.fs, path, 'old')
  for (const [call, errno] of [
    ['open', 'EMFILE'],
    ['write', 'ENOSPC'],
    ['fsync', 'EIO'],
    ['rename', 'EIO'],
  ] as const) {
    failing.fail(call, errno)
    expect(
      hasErrno(
        thrownBy(() => writeFileAtomic(failing.fs, path, 'new')),
        errno,
      ),
    ).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(join(path, '..'))).toEqual(['file'])
  }
})

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('expected a throw')
}
