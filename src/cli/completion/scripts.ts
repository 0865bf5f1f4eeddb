/**
 * `agentry completion`: the scripts that complete the command in a shell. They know nothing of the commands: they ask
 * `agentry __complete`, so that no script is out of date.
 *
 * What they are answered is lines of a candidate, a tab and what it is; or one line `:files`. A candidate needs no quoting in any shell.
 */
import type { CommandContext } from '../open-team.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** Not in the help: only the scripts use it. Behind it come the words after `agentry`, the last one being the one to complete. */
export const COMPLETE_COMMAND = '__complete'
/** In place of candidates: the names of files, which the shell knows. */
export const FILES = ':files'

const SCRIPTS: Record<Shell, string> = {
  bash: `# agentry in bash: put  source <(agentry completion bash)  into ~/.bashrc
_agentry() {
  local value description current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    if [[ $value == ${FILES} ]]; then
      compopt -o default
    elif [[ $value == "$current"* ]]; then
      COMPREPLY+=("$value")
    fi
  done < <(command agentry ${COMPLETE_COMMAND} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _agentry agentry
`,
  zsh: `#compdef agentry
# agentry in zsh: put  source <(agentry completion zsh)  into ~/.zshrc behind compinit, or this into a file _agentry of $fpath
_agentry() {
  local value description
  local -a values shown
  while IFS=$'\\t' read -r value description; do
    if [[ $value == ${FILES} ]]; then
      _files
      return
    fi
    values+=("$value")
    shown+=("$value\${description:+  -- $description}")
  done < <(command agentry ${COMPLETE_COMMAND} "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  compadd -l -d shown -a values
}
if [[ $funcstack[1] == _agentry ]]; then
  _agentry "$@"
else
  compdef _agentry agentry
fi
`,
  fish: `# agentry in fish: put  agentry completion fish | source  into ~/.config/fish/config.fish
function __agentry_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (command agentry ${COMPLETE_COMMAND} $words[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = '${FILES}'
        __fish_complete_path "$current"
    else
        printf '%s\\n' $found
    end
end
complete -c agentry -f -a '(__agentry_complete)'
`,
}

export async function printScript({ io }: CommandContext, shell: Shell): Promise<void> {
  io.stdout.write(SCRIPTS[shell])
}
