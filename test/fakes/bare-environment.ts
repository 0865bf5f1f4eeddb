/**
 * The environment of a program that a test starts: nothing of this process but where programs are, and where Node keeps what it
 * compiled (test/keep-compiled.ts).
 */
export function bareEnvironment(
  more: Readonly<Record<string, string | undefined>> = {},
): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...more }
}
