import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SessionStore } from '../../src/store/session-store.ts'

/** A store whose loads and writes take some turns of the event loop, as one behind a network does. */
export function slowStore(store: SessionStore): SessionStore {
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    await nextTurn()
    const result = await work()
    await nextTurn()
    return result
  }
  return {
    load: (...args) => slowly(() => store.load(...args)),
    append: (...args) => slowly(() => store.append(...args)),
    snapshot: (...args) => slowly(() => store.snapshot(...args)),
    trash: (...args) => slowly(() => store.trash(...args)),
    restore: (...args) => slowly(() => store.restore(...args)),
    purge: (...args) => slowly(() => store.purge(...args)),
    release: (...args) => slowly(() => store.release(...args)),
    replay: (...args) => store.replay(...args),
    list: (...args) => store.list(...args),
    listTrash: (...args) => store.listTrash(...args),
    ids: (place) => store.ids(place),
  }
}
