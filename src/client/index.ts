/** `agentry/client`: a team that another process serves. */
export { createClient } from './client.ts'
export { connectLocal } from './local.ts'
export type { RemoteAgent, RemoteTeam, WatchItem } from './remote-team.ts'
export type { ClientOptions } from './requests.ts'
