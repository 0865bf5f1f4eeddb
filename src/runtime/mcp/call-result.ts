/** What an MCP server answered to a call, as the text that a model reads. Pure. */
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client'
import type { ToolResult } from '../../behavior.ts'
import { assertNever } from '../../errors.ts'

/**
 * Text as it is, anything else named in brackets; structured content as JSON where there is no text. Not cut: whoever
 * hands it to a model does that. A result
 * that the server marked as an error has the outcome `error`.
 */
export function toToolResult(result: CallToolResult): ToolResult {
  const parts = result.content.map((block) => describe(block))
  const hasText = result.content.some((block) => textOf(block) !== '')
  if (!hasText && result.structuredContent !== undefined) parts.push(JSON.stringify(result.structuredContent))
  const content = parts.filter((part) => part !== '').join('\n')
  return {
    content: content === '' ? '[no content]' : content.toWellFormed(),
    outcome: result.isError === true ? 'error' : 'ok',
  }
}

function textOf(block: ContentBlock): string {
  if (block.type === 'text') return block.text
  return block.type === 'resource' && 'text' in block.resource ? block.resource.text : ''
}

function describe(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text
    case 'image':
    case 'audio':
      return `[${block.type}: ${block.mimeType}, ${bytesOf(block.data)} bytes, not shown]`
    case 'resource_link':
      return `[link to a resource: ${[block.name, block.uri, block.mimeType, block.description].filter(Boolean).join(', ')}]`
    case 'resource': {
      const { resource } = block
      const type = resource.mimeType ?? 'of no named type'
      if ('text' in resource) return `[resource ${resource.uri}, ${type}]\n${resource.text}`
      return `[resource ${resource.uri}, ${type}, ${bytesOf(resource.blob)} bytes, not shown]`
    }
    default:
      return assertNever(block)
  }
}

/** Of what base64 text stands for. */
function bytesOf(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
}
