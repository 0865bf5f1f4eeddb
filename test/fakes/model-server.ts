/**
 * A model server for tests, examples and benchmarks: real HTTP on loopback, the real streaming protocols, scripted answers.
 *
 *     const server = await startModelServer({ reply: (request, index) => index === 0 ? { status: 500 } : 'Hello' })
 *     // { type: 'openai-compatible', baseURL: server.openaiURL } or { type: 'anthropic', baseURL: server.anthropicURL }
 *     await server.close()
 *
 * It is strict as the real ones are: a conversation that they refuse (a call without a result, an empty text block, an id
 * with a colon) is answered with 400 and their words.
 */
export type { ModelRequest, RequestMessage, RequestTool } from './model-server/request.ts'
export type { Fault, Part, Reply, TokenCounts } from './model-server/reply.ts'
export { type ModelServer, type ModelServerOptions, startModelServer } from './model-server/server.ts'
