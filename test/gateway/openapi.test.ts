import { beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/gateway/app.ts'
import { createGateway } from './harness.ts'

interface Operation {
  operationId: string
  responses: Record<string, { content?: Record<string, unknown> }>
  requestBody?: { content: Record<string, unknown> }
  security?: unknown[]
  parameters?: { name: string; in: string; required: boolean }[]
}

interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

let document: Document
let routes: string[]

beforeAll(async () => {
  const { createTeam } = await import('../../src/team.ts')
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const data = mkdtempSync(`${tmpdir()}/agentry-openapi-`)
  const team = await createTeam({ data, host: 'in-process' })
  const app = createApp(team, { token: () => 't', originsAt: () => [], version: '1.2.3' })
  document = (await (await app.request('/openapi.json')).json()) as Document
  routes = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
  await team.close()
  rmSync(data, { recursive: true })
})

const operations = (): [string, string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, operation]) => [path, method, operation] as [string, string, Operation],
    ),
  )

describe('the OpenAPI document', () => {
  test('is of version 3.1 and has every route of the app, and no other', () => {
    expect(document.openapi).toBe('3.1.0')
    const unlisted = /^GET \/(openapi\.json|docs.*)$/
    const declared = operations().map(([path, method]) => `${method.toUpperCase()} ${path}`)
    const atRoot = /^\w+ \/(message|cancel|import|sessions.*)$/
    expect(new Set(declared.filter((route) => !atRoot.test(route) || routes.includes(route)))).toEqual(
      new Set(routes.filter((route) => !unlisted.test(route))),
    )
    // The root has what an agent has.
    const ofAgent = routes.filter((route) =>
      /\/agents\/\{agent\}\/(message|cancel|import|sessions)/.test(route),
    )
    expect(declared).toEqual(
      expect.arrayContaining(ofAgent.map((route) => route.replace('/agents/{agent}', ''))),
    )
  })

  test('declares errors, both forms of bodies, and each operation under an id of its own', () => {
    const ids = operations().map(([, , operation]) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [path, , operation] of operations()) {
      expect(Object.keys(operation.responses['default']?.content ?? {})).toEqual([
        'application/problem+json',
        'application/msgpack',
      ])
      for (const { content = {} } of [operation.requestBody ?? {}, ...Object.values(operation.responses)]) {
        if ('application/json' in content)
          expect([path, content]).toMatchObject([path, { 'application/msgpack': {} }])
      }
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(declared.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
    }
  })

  test('resolves every reference', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)]
    expect(references.length).toBeGreaterThan(20)
    for (const [, name = ''] of references) expect(document.components.schemas).toHaveProperty(name)
  })

  test('asks for the token wherever the gateway does', async () => {
    const open = operations().filter(([, , operation]) => operation.security?.length === 0)
    expect(open.map(([path]) => path)).toEqual(['/health'])
  })

  test('needs no token itself', async () => {
    const gateway = await createGateway()
    const response = await gateway.fetch('/openapi.json', { headers: { authorization: '' } })
    expect(response.status).toBe(200)
  })
})
