import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { createDurableFs, systemCalls } from '../../src/store/durable-fs.ts'
import { DataDirectory } from '../fakes/data-directory.ts'
import { observeCalls } from '../fakes/observe-calls.ts'
import { claimOf, creation } from '../fakes/records.ts'

describe('a reader that meets a move into the trash', () => {
  test.each([1, 2, 3])(
    'between its calls (%i) does not find the session, and does not call it damaged',
    async (opens) => {
      const data = new DataDirectory()
      const claim = claimOf(5)
      const id = createId()
      await data.create(claim, id, creation(claim, id), 1)
      const writer = data.store()
      let count = 0
      const meeting = observeCalls(systemCalls, (name) => {
        // The file store does all of it before its promise is returned.
        if (name === 'open' && ++count === opens) void writer.trash(claim, id)
      })
      const reader = data.store({ fs: createDurableFs(meeting) })
      const read = reader.load(id).then(
        () => 'loaded',
        (error: { code: string }) => error.code,
      )
      expect(await read).toBe(opens < 3 ? 'session_not_found' : 'loaded')
    },
  )
})
