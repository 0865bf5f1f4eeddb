/** A process that owns an MCP server and prints the ids of the server, of what that started in its group, and out of it; runs until it is killed. */
import { createMcpServers } from '../../../src/runtime/mcp/mcp-servers.ts'
import { callWith, rogue } from './calls.ts'

const servers = createMcpServers({ r: rogue('tools') }, { workingDir: '/' })
const tools = await servers.tools()
const server = await callWith(tools, 'r__echo', {}, {})
const started = await callWith(tools, 'r__spawn', {}, {})
console.log(`${server.content} ${started.content}`)
setInterval(() => {}, 1_000)
