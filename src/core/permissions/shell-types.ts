/** What the parser of command lines finds. Plain data. */

/**
 * One word of a command.
 * - `static`: its value is known: `text`, quotes removed.
 * - `names`: a glob: it expands to names of files or stays as it is; every word it becomes begins with `text`.
 * - `dynamic`: a variable, a substitution, a tilde or a brace expansion: it may become any words, or none. `text` is what of it is known.
 */
export interface Word {
  text: string
  kind: 'static' | 'names' | 'dynamic'
  /** Some of it was quoted: it is no keyword. */
  quoted: boolean
}

export interface Assignment {
  name: string
  value: Word
}

export interface Redirect {
  /** Without the number of the descriptor: `>`, `>>`, `>|`, `<>`, `>&`, `<`, `<&`. Here-documents are not among them: they write nothing. */
  operator: string
  target: Word
}

/** With no words: assignments or redirects by themselves, the variable of a `for`, the `=` of a `${name:=word}`. */
export interface SimpleCommand {
  assignments: Assignment[]
  words: Word[]
  redirects: Redirect[]
}

export interface ShellLine {
  /** Every simple command in the line, those in substitutions, functions and here-documents among them, innermost first. */
  commands: SimpleCommand[]
  /** Why the line is not understood as a whole; undefined: it is. Such a line may run more than `commands`. */
  unknown?: string
}
