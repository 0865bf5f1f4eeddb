import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { safeCacheFolder } from '../../src/cli/compile-cache.ts'

let home: string
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'agentry-cache-')))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

describe('what was compiled is kept', () => {
  test('in a folder of the user alone, made where it is missing', () => {
    const folder = safeCacheFolder({ HOME: home })
    expect(folder).toBe(join(home, '.cache/agentry'))
    expect(statSync(join(home, '.cache/agentry')).mode & 0o777).toBe(0o700)
  })

  test('where XDG_CACHE_HOME says, if it is absolute', () => {
    const caches = join(home, 'caches')
    expect(safeCacheFolder({ HOME: home, XDG_CACHE_HOME: caches })).toBe(join(caches, 'agentry'))
    expect(safeCacheFolder({ HOME: home, XDG_CACHE_HOME: 'caches' })).toBeUndefined()
    expect(safeCacheFolder({ HOME: home, XDG_CACHE_HOME: '' })).toBe(join(home, '.cache/agentry'))
  })
})

describe('nothing is kept', () => {
  test('without a home', () => {
    expect(safeCacheFolder({})).toBeUndefined()
  })

  test('where others can write', () => {
    const folder = join(home, '.cache/agentry')
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o770)
    expect(safeCacheFolder({ HOME: home })).toBeUndefined()
  })

  test('where others can put another folder in its place', () => {
    const folder = join(home, '.cache')
    mkdirSync(folder)
    chmodSync(folder, 0o777)
    expect(safeCacheFolder({ HOME: home })).toBeUndefined()
    chmodSync(folder, 0o1777)
    expect(safeCacheFolder({ HOME: home })).toBe(join(folder, 'agentry'))
  })

  test('where a link leads to such a place', () => {
    const open = join(home, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    mkdirSync(join(open, 'agentry'), { mode: 0o700 })
    symlinkSync(open, join(home, '.cache'))
    expect(safeCacheFolder({ HOME: home })).toBeUndefined()
  })

  test('where the folder cannot be made', () => {
    expect(safeCacheFolder({ HOME: join(home, 'none\0') })).toBeUndefined()
  })
})
