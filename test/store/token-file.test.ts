import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDirectory } from '../../src/store/directory.ts'
import { ensureToken, readToken, rotateToken, tokenFileOf } from '../../src/store/token-file.ts'
import { errorWith } from '../error-with.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

async function directoryWithToken(): Promise<{ directory: string; file: string; token: string }> {
  const directory = temporaryDirectory()
  const owned = await openDirectory({ directory })
  owned.close()
  return { directory, token: ensureToken(directory), file: tokenFileOf(directory) }
}

describe('a token that cannot be trusted', () => {
  test.each([0o640, 0o604, 0o620, 0o666])(
    'is refused with mode 0%o, until a new one is made',
    async (mode) => {
      const { directory, file, token } = await directoryWithToken()
      expect(readToken(directory)).toBe(token)
      chmodSync(file, mode)
      expect(() => readToken(directory)).toThrow(errorWith('directory_invalid'))
      const fresh = rotateToken(directory)
      expect(readToken(directory)).toBe(fresh)
    },
  )

  test('is refused where the file holds something else', async () => {
    const { directory, file } = await directoryWithToken()
    writeFileSync(file, 'two words\n')
    expect(() => readToken(directory)).toThrow(errorWith('directory_invalid'))
  })

  test('is refused where it is another user’s, but not to root', async () => {
    const { directory, file, token } = await directoryWithToken()
    if (process.getuid?.() === 0) chownSync(file, 4711, 4711)
    const getuid = vi.spyOn(process, 'getuid')
    onTestFinished(() => getuid.mockRestore())
    getuid.mockReturnValue(4712)
    expect(() => readToken(directory)).toThrow('a file of the user')
    getuid.mockReturnValue(0)
    expect(readToken(directory)).toBe(token)
  })
})
