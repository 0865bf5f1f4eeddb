/** `agentry sessions …` as commander has it. */
import { type Command, Option } from 'commander'
import { SESSION_STATUSES } from '../../core/session-state.ts'
import { type ActionOf, collect, wholeNumber } from '../action.ts'
import * as change from './change.ts'
import { cleanup } from './cleanup.ts'
import { importSession } from './import.ts'
import { exportSession, listSessions, showSession } from './read.ts'

const REFERENCE = 'id, beginning of the id, or name'

export function addSessionCommands(program: Command, action: ActionOf): void {
  const sessions = program.command('sessions').description('The sessions of the agents.')
  const add = (name: string, description: string): Command =>
    sessions
      .command(name)
      .description(description)
      .option('--agent <id>', 'the agent that the session belongs to')
  /** One that may have to wait for the running turn. */
  const addWaiting = (name: string, description: string): Command =>
    add(name, description).option(
      '--cancel',
      'cancel the running turn and the queue instead of waiting for them',
    )

  add('list', 'List the sessions, last accessed first; * marks the current one of its agent.')
    .addOption(new Option('--status <status>', 'only these').choices(SESSION_STATUSES))
    .option('--search <text>', 'only those with the text in name or description')
    .option('--trashed', 'list the trash')
    .action(action(listSessions))
  add('show', 'Show a session with its conversation; with --json its whole state.')
    .argument('[session]', `${REFERENCE}; default: the current one`)
    .action(action(showSession))
  add('export', 'Write a whole session as JSON.')
    .argument('<session>', REFERENCE)
    .option('--output <file>', 'a new file; default: standard output')
    .action(action(exportSession))
  add('import', 'Import an exported session, or a session file of the original Agentry in Go.')
    .argument('<file>')
    .action(action(importSession))
  add('create', 'Create a session and make it current.')
    .argument('<name>')
    .argument('[description]')
    .option('--working-dir <dir>', "default: the agent's")
    .option('--prompt <text>', "default: the agent's instructions")
    .option('--var <NAME=value>', 'an environment variable; may be repeated', collect)
    .action(action(change.createSession))
  addWaiting('load', 'Make a session current; the one before is suspended.')
    .argument('<session>', REFERENCE)
    .action(action(change.loadSession))
  addWaiting('resume', 'Continue a suspended session: the same as load.')
    .argument('<session>', REFERENCE)
    .action(action(change.resumeSession))
  add('save', 'Write the .json file of a session now.')
    .argument('[session]', `${REFERENCE}; default: the current one`)
    .action(action(change.saveSession))
  addWaiting('suspend', 'Suspend a session.')
    .argument('[session]', `${REFERENCE}; default: the current one`)
    .action(action(change.suspendSession))
  addWaiting('terminate', 'End a session: it can be read and forked, not continued.')
    .argument('<session>', REFERENCE)
    .action(action(change.terminateSession))
  add('fork', 'Make a new, suspended session with the same conversation.')
    .argument('<session>', REFERENCE)
    .argument('[name]', 'name of the new session')
    .action(action(change.forkSession))
  add('rename', 'Give a session another name.')
    .argument('<session>', REFERENCE)
    .argument('<name>')
    .option('--description <text>', 'a new description too')
    .action(action(change.renameSession))
  addWaiting('delete', 'Terminate a session and move it to the trash; `restore` brings it back.')
    .argument('<session>', REFERENCE)
    .action(action(change.deleteSession))
  add('restore', 'Bring a session back from the trash.')
    .argument('<session>', REFERENCE)
    .action(action(change.restoreSession))
  sessions
    .command('cleanup')
    .description(
      'Move old sessions to the trash: terminated ones, by the options or by the configured retention.',
    )
    .option('--max-age <duration>', 'those not accessed for longer than this, such as 30d')
    .option('--max-count <count>', 'all but this many of each agent, the last accessed ones', wholeNumber)
    .option('--include-suspended', 'include suspended ones')
    .option('--dry-run', 'only list them')
    .action(action(cleanup))
}
