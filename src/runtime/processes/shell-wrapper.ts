/**
 * The shell script around every command: what happens in the shell before and after it. Works in any POSIX shell (tried with
 * dash, and bash as sh).
 *
 * Arguments: $1 the command, $2 the state file (exists, empty). File descriptor 3: the reaper's input.
 *
 * - It registers with the reaper first (`+PGID:FILE`); where that fails nothing is run, and the state file says so.
 * - The state goes to a file, not to an inherited descriptor: a descriptor would be held open by background processes, and
 *   could be taken by the command's own `exec 4>…`. The file's path is in a variable that is not exported.
 * - The state is written when the shell ends, by the EXIT trap where the command ends the shell (`exit`, `set -e`, a syntax
 *   error). There is none where the command replaces the shell (`exec`), replaces the trap and exits, or is killed.
 * - A command may have removed the file (\`rm -rf /tmp/*\`): it is made again, for its owner's eyes only.
 * - State: the working directory and a newline, then the exported NAME=VALUE, each ended by NUL, then `ok`: only whole.
 *   The directory is the logical one, so that a path through a symbolic link stays what the user typed.
 * - `shift` is on the command's own line, so that its line numbers are right and its arguments are none.
 * - All variables are named AGENTRY_*, which is never taken for the session's, not even after `set -a`.
 */
export const SHELL_WRAPPER = `exec 2>&1
AGENTRY_STATE=$2
trap '' PIPE
printf '+%s:%s\\n' "$$" "$2" >&3 || { printf unregistered >|"$2"; exit 125; }
trap - PIPE
exec 3>&-
agentry_record() {
  [ -f "$AGENTRY_STATE" ] || umask 077
  { command pwd && command printf '\\0' && /usr/bin/env -0 && command printf ok; } >|"$AGENTRY_STATE"
}
trap '{ AGENTRY_STATUS=$?; set +x; } 2>/dev/null; agentry_record; exit "$AGENTRY_STATUS"' EXIT
eval "shift 2; $1"
{ AGENTRY_STATUS=$?; set +x; } 2>/dev/null
agentry_record
agentry_record() { :; }
exit "$AGENTRY_STATUS"`

/** What the shell was like at its end. */
export interface ShellState {
  workingDir: string
  exported: Map<string, string>
}

/** Reads a state file. Undefined: the shell left no state. */
export function parseShellState(bytes: Uint8Array): ShellState | 'unregistered' | undefined {
  const [directory = '', ...variables] = new TextDecoder('utf-8', { ignoreBOM: true })
    .decode(bytes)
    .split('\0')
  if (directory === 'unregistered') return directory
  if (variables.pop() !== 'ok') return undefined
  const exported = new Map(
    variables.map((variable) => {
      const equals = variable.indexOf('=')
      return [variable.slice(0, equals), variable.slice(equals + 1)]
    }),
  )
  return { workingDir: directory.replace(/\n$/, ''), exported }
}
