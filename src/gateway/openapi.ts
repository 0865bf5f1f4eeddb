/** The OpenAPI 3.1 document: what the routes declare, and what holds for all of them. */
import type { GatewayApp } from './context.ts'
import { MSGPACK_TYPE } from './msgpack.ts'
import { PROBLEM_TYPE } from './http-errors.ts'
import { rootPathOf } from './root-paths.ts'
import { problem } from './schemas/values.ts'

type Document = ReturnType<GatewayApp['getOpenAPI31Document']>
type PathItem = NonNullable<Document['paths']>[string]
type Operation = NonNullable<PathItem['get']>

const PROBLEM = { schema: { $ref: '#/components/schemas/Problem' } }
const METHODS = ['get', 'post', 'patch', 'delete'] as const

/** `openPaths`: those that need no token. */
export function openApiDocument(app: GatewayApp, version: string, openPaths: readonly string[]): Document {
  app.openAPIRegistry.register('Problem', problem)
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description:
      'The token of the gateway: `.agentry/token` of the data directory, or what AGENTRY_TOKEN was when it started.',
  })
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Agentry',
      version,
      description:
        'A team of persistent agents. Bodies and answers are JSON, or msgpack by their content types.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: ['team', 'agents', 'messages', 'sessions', 'approvals', 'events'].map((name) => ({ name })),
  })
  const paths: Record<string, PathItem> = {}
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of operationsOf(item)) {
      complete(operation, `${method}${path}`)
      if (openPaths.includes(path)) operation.security = []
    }
    paths[path] = item
    const root = rootPathOf(path)
    if (root !== undefined) paths[root] = { ...atRoot(item), ...paths[root] }
  }
  return { ...document, paths }
}

function operationsOf(item: PathItem): [string, Operation][] {
  return METHODS.flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [[method, operation] as [string, Operation]]
  })
}

/** What every operation has: an id, errors of one form, and msgpack wherever there is JSON. */
function complete(operation: Operation, name: string): void {
  operation.operationId = name.replaceAll(/[^A-Za-z]+(\w)?/g, (_, letter = '') =>
    String(letter).toUpperCase(),
  )
  operation.responses ??= {}
  operation.responses['default'] = {
    description: 'An error, with its code.',
    content: { [PROBLEM_TYPE]: PROBLEM, [MSGPACK_TYPE]: PROBLEM },
  }
  const holders: unknown[] = [operation.requestBody, ...Object.values<unknown>(operation.responses)]
  for (const holder of holders) addMsgpack(holder)
}

/** A body or an answer has its forms by content type. */
function addMsgpack(holder: unknown): void {
  if (!isRecord(holder)) return
  const { content } = holder
  if (!isRecord(content) || content['application/json'] === undefined) return
  holder['content'] = { ...content, [MSGPACK_TYPE]: content['application/json'] }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The same operations for the agent of the query, or the default one. */
function atRoot(item: PathItem): PathItem {
  const root: PathItem = {}
  for (const method of METHODS) {
    const operation = item[method]
    if (operation === undefined) continue
    root[method] = {
      ...operation,
      operationId: `${operation.operationId ?? ''}OfDefaultAgent`,
      parameters: [
        ...(operation.parameters ?? []).filter(
          (parameter) => !('name' in parameter) || parameter.name !== 'agent',
        ),
        {
          name: 'agent',
          in: 'query',
          required: false,
          description: 'The agent. Left out: the one that has the session, else the default agent.',
          schema: { type: 'string' },
        },
      ],
    }
  }
  return root
}
