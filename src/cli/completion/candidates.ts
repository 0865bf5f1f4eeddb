/** What can stand at the end of a command line, as the definitions of the commands have it. Pure. */
import type { Argument, Command, Option } from 'commander'

export interface Candidate {
  value: string
  description: string
}

/** What is asked for at the end of a line. */
export type Wanted =
  | { kind: 'words'; candidates: Candidate[] }
  | { kind: 'agents' }
  | { kind: 'approvals' }
  | { kind: 'sessions'; agentId?: string; trashed: boolean }
  | { kind: 'files' }
  | { kind: 'nothing' }

export interface Completion {
  wanted: Wanted
  /** Options with a value that were given before, by their long name without dashes. */
  options: ReadonlyMap<string, string>
}

/** `words`: all after the name of the program; the last one, which may be empty, is being typed. */
export function completionOf(program: Command, words: readonly string[]): Completion {
  const current = words.at(-1) ?? ''
  const options = new Map<string, string>()
  let command = program
  let operands = 0
  /** The option whose value comes next. */
  let open: Option | undefined
  let onlyOperands = false
  for (const word of words.slice(0, -1)) {
    if (open !== undefined) {
      options.set(open.name(), word)
      open = undefined
    } else if (onlyOperands || !word.startsWith('-') || word === '-') {
      const inner = onlyOperands ? undefined : command.commands.find((child) => child.name() === word)
      if (inner === undefined) operands += 1
      else command = inner
    } else if (word === '--') {
      onlyOperands = true
    } else {
      const [flag = '', value] = word.split(/=(.*)/s)
      const option = optionsOf(program, command).find(({ long, short }) => long === flag || short === flag)
      if (option === undefined || !(option.required || option.optional)) continue
      if (value === undefined) open = option
      else options.set(option.name(), value)
    }
  }
  const wanted = ((): Wanted => {
    if (open !== undefined) return wantedBy(open.name(), open.argChoices, command, options)
    if (current.startsWith('-') && !onlyOperands) {
      const found = optionsOf(program, command).filter(({ hidden }) => !hidden)
      const flags = found.map((option) => ({
        value: option.long ?? option.flags,
        description: option.description,
      }))
      return { kind: 'words', candidates: [...flags, { value: '--help', description: 'show the help' }] }
    }
    if (command.commands.length > 0) {
      return operands === 0 ? { kind: 'words', candidates: commandsOf(command) } : { kind: 'nothing' }
    }
    const argument = argumentAt(command, operands)
    if (argument === undefined) return { kind: 'nothing' }
    return wantedBy(argument.name(), argument.argChoices, command, options)
  })()
  return { wanted, options }
}

function optionsOf(program: Command, command: Command): readonly Option[] {
  return command === program ? program.options : [...command.options, ...program.options]
}

function commandsOf(command: Command): Candidate[] {
  const names = command.commands.map((child) => ({
    value: child.name(),
    description: child.summary() || child.description(),
  }))
  return [...names, { value: 'help', description: 'show the help of a command' }]
}

function argumentAt({ registeredArguments }: Command, index: number): Argument | undefined {
  const last = registeredArguments.at(-1)
  return registeredArguments[index] ?? (last?.variadic ? last : undefined)
}

/** Options and arguments that mean the same have the same name. */
function wantedBy(
  name: string,
  choices: readonly string[] | undefined,
  command: Command,
  options: ReadonlyMap<string, string>,
): Wanted {
  if (choices !== undefined) {
    return { kind: 'words', candidates: choices.map((value) => ({ value, description: '' })) }
  }
  switch (name) {
    case 'agent':
      return { kind: 'agents' }
    case 'approval':
      return { kind: 'approvals' }
    case 'session': {
      // `send` names the agent before the session.
      const agentId = options.get('agent')
      return {
        kind: 'sessions',
        ...(agentId !== undefined && { agentId }),
        trashed: command.name() === 'restore',
      }
    }
    case 'file':
    case 'config':
    case 'data':
    case 'output':
    case 'token-file':
    case 'working-dir':
      return { kind: 'files' }
    default:
      return { kind: 'nothing' }
  }
}
