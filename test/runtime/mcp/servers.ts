/** What the tests of MCP need: servers that end with the test, and what a rogue one saw. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { McpServerSpec } from '../../../src/llm-spec.ts'
import {
  createMcpServers,
  type McpServers,
  type McpServersOptions,
} from '../../../src/runtime/mcp/mcp-servers.ts'
import { temporaryDirectory } from '../../fakes/temporary-directory.ts'

/** Closed after the test. */
export function open(
  specs: Record<string, McpServerSpec>,
  options: Partial<McpServersOptions> = {},
): McpServers & { notes: string[] } {
  const notes: string[] = []
  const servers = createMcpServers(specs, {
    workingDir: temporaryDirectory(),
    environment: { PATH: process.env['PATH'], HOME: '/nowhere' },
    onNote: (note) => notes.push(note),
    graceMs: 500,
    ...options,
  })
  onTestFinished(() => servers.close())
  return { ...servers, notes }
}

/** The file in which a rogue server notes what it saw, and its lines so far. */
export function seenFile(): { path: string; lines: () => string[] } {
  const path = join(temporaryDirectory(), 'seen')
  return {
    path,
    lines: () => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []),
  }
}
