import { systemClock } from '../../src/core/clock.ts'
import { loadBehavior } from '../../src/runtime/load-behavior.ts'
import { runStay } from '../../src/runtime/stay.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { createLocalHost } from '../../src/supervisor/local-host.ts'
import { ThreadHost } from '../../src/supervisor/thread-host.ts'
import { agentHostContract } from './agent-host.ts'

agentHostContract('the thread host', ({ capacity }) => new ThreadHost({ capacity }))

agentHostContract('the local host', ({ directory, capacity }) => {
  const store = createFileStore({ directory })
  return createLocalHost({
    capacity,
    runStay: (options, port) =>
      runStay(options, port, {
        store,
        clock: systemClock,
        loadBehavior: (spec) => loadBehavior(spec, options.limits.resultBytes),
        threadId: 0,
      }),
    readSession: async (_store, sessionId) => (await store.load(sessionId)).state,
  })
})
