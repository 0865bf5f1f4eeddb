/**
 * What the model says. It is scripted, so that the example needs no key and always ends the same way, but it looks at what the tools
 * really gave: where a step did not do what it should, the next answer says so instead of going on.
 */
import type { ModelRequest, RequestMessage, Reply } from '../../test/fakes/model-server.ts'

const RUN_TESTS = 'node --test --test-reporter=tap'

export function reply(request: ModelRequest): Reply {
  const agent = /You are the agent (\w+)/.exec(request.system)?.[1]
  const results = resultsOf(request.messages)
  switch (agent) {
    case 'planner':
      return planner(results, request.messages)
    case 'coder':
      return coder(results)
    case 'reviewer':
      return reviewer(results)
    default:
      return `I do not know the agent ${agent}`
  }
}

/** Asks the coder, then the reviewer, and says what came of it. */
function planner(results: readonly string[], messages: readonly RequestMessage[]): Reply {
  const [fixed, reviewed] = results
  if (fixed === undefined) {
    const task = messages.find(({ role }) => role === 'user')?.content ?? ''
    return [
      'The coder should find and mend it, then the reviewer should look at the change.',
      ask('coder', `${task}\nRun the tests before and after, and commit what you changed.`),
    ]
  }
  if (!fixed.includes('committed')) return `The coder did not finish: ${fixed}`
  if (reviewed === undefined) {
    return ask('reviewer', `The coder says: ${fixed}\nLook at the last commit. Is it right, and small?`)
  }
  return `${fixed} The reviewer says: ${reviewed}`
}

/** Runs the tests, reads, edits, runs them again, commits. */
function coder(results: readonly string[]): Reply {
  const [before, source, edited, after, committed] = results
  if (before === undefined) return call('shell', { command: RUN_TESTS })
  if (!before.includes('# fail 2')) return `I expected two tests to fail:\n${before}`
  if (source === undefined) return call('read', { path: 'src/total.js' })
  if (!source.includes('sum + cents,')) return `I do not see the bug:\n${source}`
  if (edited === undefined) {
    return [
      { reasoning: 'The count of an item is never used.' },
      call('edit', { path: 'src/total.js', oldText: 'sum + cents,', newText: 'sum + cents * count,' }),
    ]
  }
  if (after === undefined) return call('shell', { command: RUN_TESTS })
  if (!after.includes('# fail 0')) return `The tests still fail:\n${after}`
  if (committed === undefined) {
    return call('shell', { command: 'git commit --all --message "Count every item"' })
  }
  if (!committed.includes('1 file changed')) return `It was not taken: ${committed}`
  return 'The count of an item was not used; it is now, all tests pass, and it is committed.'
}

function reviewer(results: readonly string[]): Reply {
  const [change] = results
  if (change === undefined) return call('shell', { command: 'git show --format=%s HEAD' })
  return change.includes('+  const sum = items.reduce((sum, { cents, count }) => sum + cents * count, 0)')
    ? 'one line, and it does what the tests ask for.'
    : `this is not what was asked for:\n${change}`
}

/** What the tools gave since the last message of a person or an agent. */
function resultsOf(messages: readonly RequestMessage[]): string[] {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  return messages.slice(last).flatMap(({ role, content }) => (role === 'tool' ? [content] : []))
}

function ask(agent: string, message: string): { toolCall: { name: string; input: unknown } } {
  return call('ask_agent', { agent, message })
}

function call(name: string, input: unknown): { toolCall: { name: string; input: unknown } } {
  return { toolCall: { name, input } }
}
