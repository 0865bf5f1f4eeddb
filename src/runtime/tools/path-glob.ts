import picomatch from 'picomatch'
import { AgentryError } from '../../errors.ts'
import { createMatcher, type Matcher } from './guarded-match.ts'

/** Which relative paths a glob matches: `*` within a name, `**` over directories, `{a,b}`, `[a-z]`; names with a leading dot too. */
export function createPathMatcher(glob: string): Matcher {
  const expression = picomatch.makeRe(glob.replace(/^\.\//, ''), { dot: true, noextglob: true })
  if (!(expression instanceof RegExp)) {
    throw new AgentryError(
      'invalid_input',
      `expected a glob such as src/**/*.ts, received ${JSON.stringify(glob)}`,
    )
  }
  return createMatcher(expression)
}
