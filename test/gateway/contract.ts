/**
 * The OpenAPI document as the judge of requests and answers, by a validator that knows nothing of the gateway.
 *
 * C1  what the document does not say is wrong: an operation, a status, a content type, a parameter, and also a key of an object.
 * C2  msgpack is held to the same schemas, by another decoder than the gateway's.
 */
import addFormats from 'ajv-formats'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { unpack } from 'msgpackr'

type Schema = Record<string, unknown>
type Content = Record<string, { schema: Schema }>

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema: Schema
}

export interface Operation {
  operationId: string
  responses: Record<string, { content?: Content; headers?: Record<string, unknown> }>
  requestBody?: { content: Content; required?: boolean }
  security?: unknown[]
  parameters?: Parameter[]
}

export interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

export interface Answered {
  /** Such as `GET /agents/{agent}`. */
  operation: string
  /** As the document has it: a number, or `default`. */
  status: string
  /** The content type, without its parameters. */
  type: string
  /** The body, decoded; undefined for a stream. */
  value?: unknown
}

interface Entry {
  name: string
  method: string
  path: string
  pattern: RegExp
  operation: Operation
}

const SCHEMAS = '#/components/schemas/'
/** Their bodies are no single value, and may never end. */
const STREAM = 'text/event-stream'

export class Contract {
  readonly #entries: readonly Entry[]
  readonly #answers: Ajv2020
  readonly #parameters: Ajv2020
  readonly #compiled = new Map<Schema, ValidateFunction>()

  constructor({ paths, components }: Document) {
    this.#entries = Object.entries(paths)
      .flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({
          name: `${method.toUpperCase()} ${path}`,
          method: method.toUpperCase(),
          path,
          pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
          operation,
        })),
      )
      // A path without parameters wins: `/sessions/current` is no session of that id.
      .toSorted((a, b) => parametersOf(a.path) - parametersOf(b.path))
    this.#answers = newValidator(components.schemas)
    this.#parameters = newValidator(components.schemas, { coerceTypes: true })
  }

  /** The names of all operations, such as `GET /agents/{agent}`. */
  get operations(): readonly string[] {
    return this.#entries.map(({ name }) => name).toSorted()
  }

  /** All that the document says an operation answers with. */
  declared(name: string): Answered[] {
    const entry = this.#entries.find((one) => one.name === name)
    return Object.entries(entry?.operation.responses ?? {}).flatMap(([status, { content = {} }]) =>
      Object.keys(content).map((type) => ({ operation: name, status, type })),
    )
  }

  /** The name of the operation that a request is for. Throws where the document does not allow the request. */
  checkRequest(method: string, url: string, { headers, body }: RequestInit = {}): string {
    const { name, operation } = this.#find(method, url)
    for (const [key, value] of new URL(url, 'http://localhost').searchParams) {
      const parameter = operation.parameters?.find((one) => one.in === 'query' && one.name === key)
      if (parameter === undefined) throw new Error(`${name}: the document has no query ${key}`)
      this.#validate(this.#parameters, parameter.schema, value, `${name}: query ${key}`)
    }
    if (body === undefined || body === null) {
      if (operation.requestBody?.required === true) throw new Error(`${name}: the document wants a body`)
      return name
    }
    const type = essenceOf(new Headers(headers).get('content-type'))
    const schema = operation.requestBody?.content[type]?.schema
    if (schema === undefined) throw new Error(`${name}: the document takes no body of type ${type}`)
    if (typeof body === 'string') this.#validate(this.#answers, schema, JSON.parse(body), `${name}: body`)
    return name
  }

  /** What of the document an answer is. Throws where it is nothing of it. Leaves the body to be read. */
  async checkAnswer(method: string, url: string, response: Response): Promise<Answered> {
    const { name, operation } = this.#find(method, url)
    const status = String(response.status) in operation.responses ? String(response.status) : 'default'
    const declared = operation.responses[status]
    const where = `${name}: ${response.status}`
    if (status === 'default' && response.ok) throw new Error(`${where} is not in the document`)
    const type = essenceOf(response.headers.get('content-type'))
    const schema = declared?.content?.[type]?.schema
    if (schema === undefined) throw new Error(`${where} of type ${type} is not in the document`)
    for (const header of Object.keys(declared?.headers ?? {})) {
      if (!response.headers.has(header)) throw new Error(`${where}: the document promises ${header}`)
    }
    if (type === STREAM) return { operation: name, status, type }
    const value = await valueOf(response.clone(), type)
    this.#validate(this.#answers, schema, value, where)
    return { operation: name, status, type, value }
  }

  #find(method: string, url: string): Entry {
    const { pathname } = new URL(url, 'http://localhost')
    const entry = this.#entries.find((one) => one.method === method && one.pattern.test(pathname))
    if (entry === undefined) throw new Error(`the document has no ${method} ${pathname}`)
    return entry
  }

  #validate(validator: Ajv2020, schema: Schema, value: unknown, where: string): void {
    let validate = this.#compiled.get(schema)
    if (validate === undefined) {
      validate = validator.compile(closed(schema))
      this.#compiled.set(schema, validate)
    }
    if (!validate(value))
      throw new Error(`${where}: ${validator.errorsText(validate.errors)}: ${show(value)}`)
  }
}

function newValidator(schemas: Record<string, Schema>, options: { coerceTypes?: boolean } = {}): Ajv2020 {
  const validator = new Ajv2020({ ...options, strict: true, allErrors: true })
  addFormats.default(validator)
  validator.addKeyword('example')
  for (const [name, schema] of Object.entries(schemas)) validator.addSchema(closed(schema), SCHEMAS + name)
  return validator
}

/** C1: the schema with every object closed that has a list of keys. */
function closed(schema: Schema): Schema {
  const copy = JSON.parse(JSON.stringify(schema), (_, part: unknown) => {
    const isObject = typeof part === 'object' && part !== null && 'properties' in part
    return isObject && !('additionalProperties' in part) ? { ...part, additionalProperties: false } : part
  }) as Schema
  return copy
}

async function valueOf(response: Response, type: string): Promise<unknown> {
  if (type.endsWith('msgpack')) return unpack(Buffer.from(await response.arrayBuffer()))
  return type.endsWith('json') ? response.json() : response.text()
}

function essenceOf(contentType: string | null): string {
  return contentType?.split(';', 1)[0]?.trim() ?? 'none'
}

function parametersOf(path: string): number {
  return path.split('{').length
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 2_000)
}
