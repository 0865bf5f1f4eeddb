import { createFileStore } from '../../src/store/file-store.ts'
import { ThreadHost } from '../../src/supervisor/thread-host.ts'
import { createInProcessHost } from '../../src/team.ts'
import { agentHostContract } from './agent-host.ts'

agentHostContract('the thread host', ({ capacity }) => new ThreadHost({ capacity }))

agentHostContract('the local host', ({ directory, capacity }) =>
  createInProcessHost(capacity, createFileStore({ directory })),
)
