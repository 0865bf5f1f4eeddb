import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, describe, expect, test } from 'vitest'
import { firstLineOf, readDocument, TYPES_FILE } from '../../scripts/openapi-types.ts'
import { Contract, type Document, type Operation } from './contract.ts'
import { createGateway } from './harness.ts'

let text: string
let document: Document
let routes: string[]

beforeAll(async () => {
  const read = await readDocument()
  text = read.text
  routes = read.routes
  document = JSON.parse(text) as Document
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

  test('is valid for a validator that this project did not write', async () => {
    const validator = new Validator()
    expect(await validator.validate({ ...document })).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
    expect(await new Validator().validate({ ...document, info: {} })).toMatchObject({ valid: false })
  })

  test('is the one that the types of test/e2e were made of (`npm run api:types`)', () => {
    const [first] = readFileSync(TYPES_FILE, 'utf8').split('\n')
    expect(first).toBe(firstLineOf(text))
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

  test('proposes bodies that can be sent', () => {
    const contract = new Contract(document)
    const proposed = operations().flatMap(([path, method, { requestBody }]) => {
      if (requestBody === undefined) return []
      const reference = String(requestBody.content['application/json']?.schema['$ref'])
      const example = document.components.schemas[reference.replace(/^.*\//, '')]?.['example']
      const init = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(example) }
      return [contract.checkRequest(method.toUpperCase(), path, init)]
    })
    expect(proposed.length).toBeGreaterThan(8)
  })

  test('shows what a question looks like, in its own form', () => {
    const { ApprovalInfo } = document.components.schemas
    const shown = new Response(JSON.stringify({ approvals: [ApprovalInfo?.['example']] }), {
      headers: { 'content-type': 'application/json' },
    })
    return expect(new Contract(document).checkAnswer('GET', '/approvals', shown)).resolves.toMatchObject({
      status: '200',
    })
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
