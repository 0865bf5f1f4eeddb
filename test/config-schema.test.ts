import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

function textOf(path: string): string {
  return readFileSync(new URL(`../docs/${path}`, import.meta.url), 'utf8')
}

const ajv = new Ajv2020({ strict: true, allErrors: true })
const validate = ajv.compile(JSON.parse(textOf('agentry.schema.json')) as object)

/** Where the schema says that a file is wrong; none where it is good. */
function faultsIn(yaml: string): string[] {
  return validate(parse(yaml)) ? [] : (validate.errors ?? []).map(({ instancePath }) => instancePath)
}

/** The part of an agent or a provider that a case is about, in a file that is good otherwise. */
const agent = (keys: string): string => `agents: [{ id: a, behavior: llm, ${keys} }]`
const provider = (keys: string): string => `providers: { p: { ${keys} } }`

describe('the published JSON Schema of agentry.yaml', () => {
  test('takes every example of the documentation', () => {
    const examples = [...textOf('configuration.md').matchAll(/^```yaml\n(.*?)^```$/gms)]
    expect(examples.length).toBeGreaterThan(4)
    for (const [, example = ''] of examples) expect(faultsIn(example), example).toEqual([])
  })

  test.each([
    ['an unknown key', 'agent: []', ''],
    ['an agent without a behavior', 'agents: [{ id: a }]', '/agents/0'],
    ['an unknown key of an agent', agent('modell: ollama/x'), '/agents/0'],
    ['a model without a provider', agent('model: qwen3-coder'), '/agents/0/model'],
    ['tools that are no list', agent('tools: read'), '/agents/0/tools'],
    ['a permission of another name', agent('permissions: { shell: maybe }'), '/agents/0/permissions/shell'],
    ['half a token', agent('contextTokens: 1.5'), '/agents/0/contextTokens'],
    ['a negative limit', agent('limits: { maxCostUsd: -1 }'), '/agents/0/limits/maxCostUsd'],
    ['a program without a command', agent('mcpServers: { m: { type: stdio } }'), '/agents/0/mcpServers/m'],
    ['a key in the place of its name', provider('type: openai, apiKeyEnv: sk-1'), '/providers/p/apiKeyEnv'],
    ['a key in the file', provider('type: openai, apiKey: sk-1'), '/providers/p'],
    ['a provider of another type', provider('type: opena'), '/providers/p/type'],
    ['a price of one direction', 'prices: { ollama/x: { input: 1 } }', '/prices/ollama~1x'],
    ['a limit of the team in words', 'limits: { teamCostUsd: much }', '/limits/teamCostUsd'],
  ])('refuses %s', (_, yaml, place) => {
    expect(faultsIn(yaml)).toContain(place)
  })
})
