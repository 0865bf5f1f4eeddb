/** A process that owns an MCP server and prints the ids of the server and of what that started; runs until it is killed. */
import { createMcpServers } from '../../../src/runtime/mcp/mcp-servers.ts'
import { callWith, rogue } from './calls.ts'

const servers = createMcpServers({ r: rogue('tools') }, { workingDir: '/' })
const tools = await servers.tools()
const server = await callWith(tools, 'r__echo', {}, {})
const [inGroup = ''] = (await callWith(tools, 'r__spawn', {}, {})).content.split(' ')
console.log(`${server.content} ${inGroup}`)
setInterval(() => {}, 1_000)
