/** Writes docs/errors.md from the codes in src/errors.ts, so that the two cannot differ. */
import { writeFileSync } from 'node:fs'
import { ERROR_CODES } from '../src/errors.ts'

export const ERRORS_PAGE: URL = new URL('../docs/errors.md', import.meta.url)

/** The page's text. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
  return `# Errors

Every error of Agentry is an \`AgentryError\` with one of these codes; its message says what was expected and what came, and \`data\` holds
the values behind the message. The exit codes of the command line are in [cli.md](cli.md).

| code | meaning |
|---|---|
${rows.join('\n')}

Written by \`npm run docs:errors\` from \`src/errors.ts\`.
`
}

if (import.meta.main) writeFileSync(ERRORS_PAGE, errorsPage())
