/** The client of a gateway. */
import type {
  AgentInfo,
  ApprovalInfo,
  SendOptions,
  SessionFilter,
  SessionInfo,
  TeamEvent,
  TeamHealth,
} from '../api.ts'
import { createId } from '../core/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import { findSession } from '../store/find-session.ts'
import type { RemoteAgent, RemoteTeam, WatchItem } from './remote-team.ts'
import { type ClientOptions, path, Requests } from './requests.ts'

/** What one page of a list may hold at most. */
const PAGE = 500

/** What of a turn is in no record. */
type PassingEvent = Extract<TurnEvent, { type: 'text' | 'reasoning' | 'retry' }>

interface SessionPage {
  sessions: SessionInfo[]
  nextCursor?: string
}

interface ApprovalPage {
  approvals: ApprovalInfo[]
  nextCursor?: string
}

export function createClient(options: ClientOptions): RemoteTeam {
  const requests = new Requests(options)

  const sessions = async ({ agentId, ...filter }: SessionFilter = {}): Promise<SessionInfo[]> =>
    allSessions(requests, agentId === undefined ? '/sessions' : path`/agents/${agentId}/sessions`, filter)
  const session = async (sessionId: string): Promise<SessionInfo | undefined> =>
    // Without an agent the gateway has nobody whose session it could be.
    requests.jsonUnless(['session_not_found', 'agent_not_found'], path`/sessions/${sessionId}`)

  const approvals = async (): Promise<ApprovalInfo[]> =>
    allPages(async (cursor) => {
      const page = { query: { limit: PAGE, cursor } }
      const { approvals: items, nextCursor } = await requests.json<ApprovalPage>('GET', '/approvals', page)
      return { items, nextCursor }
    })

  async function* watch(
    sessionId: string,
    { after = 0, signal }: { after?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchItem, void, undefined> {
    const where = path`/sessions/${sessionId}/events`
    const events = requests.events<SessionRecord | PassingEvent>('GET', where, {
      query: { after },
      ...(signal && { signal }),
    })
    for await (const { id, data } of events) {
      const { type } = data
      if (type === 'text' || type === 'reasoning')
        yield { type, text: data.text, dropped: data.dropped ?? false }
      else if (type === 'retry') yield data
      // What else has no id is of a newer gateway.
      else if (id !== undefined) yield { type: 'record', record: data }
    }
  }

  return {
    url: requests.url,
    sessions,
    session,
    async spawn(spec) {
      const { id } = await requests.json<AgentInfo>('POST', '/agents', { body: spec })
      return remoteAgent(requests, id)
    },
    async agent(id) {
      const info = await requests.jsonUnless<AgentInfo>(['agent_not_found'], path`/agents/${id}`)
      return info && remoteAgent(requests, info.id)
    },
    agents: async () =>
      allPages(async (cursor) => {
        const { agents: items, nextCursor } = await requests.json<{
          agents: AgentInfo[]
          nextCursor?: string
        }>('GET', '/agents', { query: { limit: PAGE, cursor } })
        return { items, nextCursor }
      }),
    async removeAgent(id) {
      await requests.json('DELETE', path`/agents/${id}`, { query: { remove: true } })
    },
    async findSession(reference, agentId) {
      return findSession(await sessions(agentId === undefined ? {} : { agentId }), reference, agentId)
    },
    readSession: async (sessionId) => requests.json<SessionState>('GET', path`/sessions/${sessionId}/export`),
    task: async (taskId) => requests.jsonUnless<Outcome>(['task_not_found'], path`/tasks/${taskId}`),
    approvals,
    answerApproval: async (approvalId, answer) =>
      requests.json<ApprovalInfo>('POST', path`/approvals/${approvalId}`, { body: answer }),
    async cleanup(policy, { dryRun = false } = {}) {
      const body = { ...policy, dryRun }
      return (await requests.json<{ sessions: SessionInfo[] }>('POST', '/team/cleanup', { body })).sessions
    },
    health: async () => (await requests.json<{ health: TeamHealth }>('GET', '/team')).health,
    async *events({ after, signal, onOpen } = {}) {
      const headers = after === undefined ? {} : { 'last-event-id': after }
      for await (const { event, data } of requests.events<TeamEvent>('GET', '/events', {
        headers,
        ...(signal && { signal }),
        ...(onOpen && { onOpen }),
      })) {
        // That the stream has begun is no event of the team.
        if (event !== 'ready') yield data
      }
    },
    watch,
    async *follow(sessionId, options) {
      for await (const item of watch(sessionId, options)) {
        if (item.type === 'record') yield item.record
      }
    },
    async close() {
      requests.close()
    },
  }
}

function remoteAgent(requests: Requests, id: string): RemoteAgent {
  const at = path`/agents/${id}`
  const command = async (
    method: string,
    where: string,
    options: { cancel?: boolean } = {},
  ): Promise<SessionInfo> => requests.json(method, `${at}${where}`, { query: { cancel: options.cancel } })
  const currentSession = async (): Promise<SessionInfo | undefined> =>
    requests.jsonUnless(['no_current_session'], `${at}/sessions/current`)
  /** The one given, else the current one. */
  const idOf = async (sessionId: string | undefined): Promise<string> => {
    const chosen = sessionId ?? (await currentSession())?.id
    if (chosen !== undefined) return chosen
    throw new AgentryError('no_current_session', `agent ${id} has no current session`, {
      data: { agentId: id },
    })
  }

  async function* stream(
    input: string,
    options: SendOptions = {},
  ): AsyncGenerator<TurnEvent, void, undefined> {
    const { signal, ...rest } = options
    // With a taskId of our own the message can be sent again after a cut.
    const body = { taskId: createId(), ...rest, input }
    const events = requests.events<TurnEvent>('POST', `${at}/message`, { body, ...(signal && { signal }) })
    for await (const { data } of events) {
      yield data
      if (data.type === 'turn-finished') return
    }
    throw new AgentryError('gateway_unreachable', 'the gateway ended before the turn did', {
      data: { taskId: body.taskId },
    })
  }

  return {
    id,
    info: async () => requests.json<AgentInfo>('GET', at),
    stream,
    // As a stream, which is never silent for long: an answer may take as long as the turn.
    async send(input, options) {
      for await (const event of stream(input, options)) {
        if (event.type === 'turn-finished') return event.outcome
      }
      throw new AgentryError('internal', 'the stream of a turn ended without an outcome')
    },
    async post(input, { signal, ...rest } = {}) {
      return requests.json<Outcome>('POST', `${at}/message`, {
        body: { ...rest, input },
        headers: { prefer: 'respond-async' },
        ...(signal && { signal }),
      })
    },
    async cancel(turnId) {
      const body = turnId === undefined ? {} : { turnId }
      return (await requests.json<{ cancelled: boolean }>('POST', `${at}/cancel`, { body })).cancelled
    },
    createSession: async (input) => requests.json('POST', `${at}/sessions`, { body: input }),
    loadSession: async (sessionId, options) => command('POST', path`/sessions/${sessionId}`, options),
    resumeSession: async (sessionId, options) => command('POST', path`/sessions/${sessionId}`, options),
    saveSession: async (sessionId) => command('POST', path`/sessions/${await idOf(sessionId)}/save`),
    suspendSession: async (sessionId, options) =>
      command('POST', path`/sessions/${await idOf(sessionId)}/suspend`, options),
    terminateSession: async (sessionId, options) => command('DELETE', path`/sessions/${sessionId}`, options),
    updateSession: async (sessionId, patch) =>
      requests.json('PATCH', `${at}${path`/sessions/${sessionId}`}`, { body: patch }),
    forkSession: async (sessionId, name) =>
      requests.json('POST', `${at}${path`/sessions/${sessionId}/fork`}`, {
        body: name === undefined ? {} : { name },
      }),
    importSession: async (session) => requests.json('POST', `${at}/import`, { body: session }),
    deleteSession: async (sessionId, { cancel } = {}) =>
      requests.json('DELETE', `${at}${path`/sessions/${sessionId}`}`, { query: { purge: true, cancel } }),
    restoreSession: async (sessionId) => command('POST', path`/sessions/${sessionId}/restore`),
    currentSession,
    sessions: async (filter = {}) => allSessions(requests, `${at}/sessions`, filter),
    async stop() {
      await requests.json('DELETE', at)
    },
    async start() {
      await requests.json('POST', `${at}/restart`)
    },
    async restart() {
      await requests.json('POST', `${at}/restart`)
    },
  }
}

async function allSessions(
  requests: Requests,
  where: string,
  filter: Omit<SessionFilter, 'agentId'>,
): Promise<SessionInfo[]> {
  return allPages(async (cursor) => {
    const query = { ...filter, limit: PAGE, cursor }
    const { sessions: items, nextCursor } = await requests.json<SessionPage>('GET', where, { query })
    return { items, nextCursor }
  })
}

async function allPages<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | undefined }>,
): Promise<T[]> {
  const all: T[] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await page(cursor)
    all.push(...items)
    cursor = nextCursor
  } while (cursor !== undefined)
  return all
}
