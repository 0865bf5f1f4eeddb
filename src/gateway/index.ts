/** `agentry/gateway`: a team over HTTP. */
export { type AnsweredRequest, type AppOptions, createApp } from './app.ts'
export type { GatewayApp } from './context.ts'
export type { Problem } from './http-errors.ts'
export { type Gateway, type ServeOptions, serveTeam } from './serve.ts'
