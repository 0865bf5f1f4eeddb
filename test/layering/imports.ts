/** The imports of a source file, read from its syntax tree: comments and strings that look like imports are none. */
import { parseAst } from 'vitest/node'

export interface Import {
  /** As written; undefined where it is computed when the program runs. */
  specifier: string | undefined
  /** type: erased before the program runs. */
  kind: 'type' | 'value'
  line: number
}

interface Node {
  type: string
  start: number
  [property: string]: unknown
}

/** Every import, re-export, dynamic import, `import()` type and require of a TypeScript source, in order. */
export function importsOf(source: string, lang: 'ts' | 'tsx' = 'ts'): Import[] {
  const imports: Import[] = []
  const visit = (node: Node): void => {
    const found = importIn(node)
    if (found) imports.push({ ...found, line: source.slice(0, node.start).split('\n').length })
    for (const child of Object.values(node)) {
      for (const item of Array.isArray(child) ? child : [child]) if (isNode(item)) visit(item)
    }
  }
  const program: unknown = parseAst(source, { lang })
  if (isNode(program)) visit(program)
  return imports
}

function importIn(node: Node): Omit<Import, 'line'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return { specifier: literal(node['source']), kind: kindOf(node, 'importKind') }
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return isNode(node['source'])
        ? { specifier: literal(node['source']), kind: kindOf(node, 'exportKind') }
        : undefined
    case 'TSImportType':
      return { specifier: literal(node['source']), kind: 'type' }
    case 'ImportExpression':
      return { specifier: literal(node['source']), kind: 'value' }
    case 'CallExpression': {
      const { callee, arguments: [argument] = [] } = node as Node & { arguments?: unknown[] }
      const isRequire = isNode(callee) && callee.type === 'Identifier' && callee['name'] === 'require'
      return isRequire ? { specifier: literal(argument), kind: 'value' } : undefined
    }
    default:
      return undefined
  }
}

/** `import type`, or braces in which every name is marked `type`; an import for its side effects is a value. */
function kindOf(node: Node, property: 'importKind' | 'exportKind'): Import['kind'] {
  if (node[property] === 'type') return 'type'
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : []
  return specifiers.length > 0 && specifiers.every((specifier) => specifier[property] === 'type')
    ? 'type'
    : 'value'
}

function literal(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string'
    ? node['value']
    : undefined
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
