/** The commands, their arguments and their help, as commander has them. What they do is in the other files. */
import { Argument, Command, Option } from 'commander'
import { RESTART_TYPES } from '../core/restart-policy.ts'
import { BEHAVIOR_NAMES } from '../options.ts'
import { type ActionOf, collect, portNumber, wholeNumber } from './action.ts'
import { listAgents, removeAgent, restartAgent, spawnAgent, stopAgent } from './agents.ts'
import { addApprovalCommands } from './approvals/program.ts'
import { type AttachOptions, attach } from './attach.ts'
import { printScript, SHELLS } from './completion/scripts.ts'
import { dashboard } from './dashboard.ts'
import { doctor } from './doctor.ts'
import type { ExitCode } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { DEFAULT_CONFIG_FILE, type GlobalOptions } from './open-team.ts'
import { DEFAULT_HOST, DEFAULT_PORT } from '../gateway/defaults.ts'
import { createReport } from './report.ts'
import { send } from './send.ts'
import { LOG_LEVELS, type ServeCommandOptions, TOKEN_VARIABLE } from './serve-options.ts'
import { addSessionCommands } from './sessions/program.ts'
import { rotate } from './token.ts'

/** What a line of options alone means (main.ts). */
export const DASHBOARD_COMMAND = 'dashboard'

/** The program. Parsing it runs one command; `setExitCode` gets what that command ends with, where it is not 0. */
export function createProgram(io: CliIo, version: string, setExitCode: (code: ExitCode) => void): Command {
  const program = new Command('agentry')
    .description('Persistent agents: each on its own thread, every session durable.')
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: () => undefined, // Thrown as well: the caller reports it in the form of all errors.
    })
    .option('--config <file>', `configuration file (default: ./${DEFAULT_CONFIG_FILE}, if it exists)`)
    .option('--data <dir>', 'data directory (default: from the configuration file, else ./sessions)')
    .option('--json', 'answers and errors as JSON')

  const action: ActionOf =
    (run) =>
    async (...args) => {
      const globals = program.opts<GlobalOptions>()
      const context = { io, globals, version, report: createReport(io, globals.json ?? false) }
      const code = await run(context, ...args)
      if (code !== undefined) setExitCode(code)
    }

  addDashboardCommands(program, action)
  addServeCommand(program, action)
  addSendCommand(program, action)
  addApprovalCommands(program, action)
  addAgentCommands(program, action)
  addSessionCommands(program, action)
  program
    .command('doctor')
    .description('Check every byte of the data directory; exits with 6 if something is wrong.')
    .option('--repair', 'repair what can be repaired; what is replaced is kept in .agentry/quarantine')
    .action(action(doctor))
  program
    .command('token')
    .description('The token of the gateway.')
    .command('rotate')
    .description('Make a new token; the one before is refused from then on.')
    .action(action(rotate))
  program
    .command('completion')
    .description('Print the script that completes agentry in a shell; docs/cli.md says where to put it.')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(action(printScript))
  return program
}

function addDashboardCommands(program: Command, action: ActionOf): void {
  const command = program
    .command(DASHBOARD_COMMAND)
    .summary('watch and talk to the team; the same as no command')
    .description(
      'The dashboard, on the supervisor that serves the data directory, or else on one that it starts and ends. The options\n' +
        'are for one that it starts. Without a terminal it is `agentry serve`.',
    )
  addServingOptions(command).action(action(dashboard))
  program
    .command('attach')
    .summary('the dashboard on a supervisor that runs')
    .description(
      'The dashboard on the supervisor that serves the data directory, or on the gateway at a url. There the token is that of\n' +
        `--token-file, else that of ${TOKEN_VARIABLE}.`,
    )
    .argument('[url]', 'of a gateway, such as http://127.0.0.1:7420')
    .option('--token-file <file>', 'a file that holds the token of the gateway')
    .action(
      action((context, url: string | undefined, options: AttachOptions) => attach(context, url, options)),
    )
}

/** How and where a supervisor serves. */
function addServingOptions(command: Command): Command {
  return command
    .option('--host <address>', `where to listen (default: ${DEFAULT_HOST})`)
    .option(
      '--port <port>',
      `0: any free one (default: ${DEFAULT_PORT}, and where that is taken any free one)`,
      portNumber,
    )
    .option(
      '--allow-host <name>',
      'name or name:port by which the gateway is reached too; may be repeated',
      collect,
    )
    .option('--insecure-http', 'listen beyond this machine, where a proxy has the TLS')
    .option('--grace <seconds>', 'what running turns have to finish at the end (default: 10)', wholeNumber)
    .addOption(new Option('--log-level <level>', 'of the log').choices(LOG_LEVELS).default('info'))
    .option('--log-file <path>', 'where the log goes (default: stderr)')
}

function addServeCommand(program: Command, action: ActionOf): void {
  const command = program
    .command('serve')
    .summary('serve the team over HTTP until a signal comes')
    .description(
      'Serves the team over HTTP until SIGTERM or SIGINT. Prints where, and where the token is; with --json one line\n' +
        `{"url", "tokenFile", "pid"}. ${TOKEN_VARIABLE} in the environment sets the token.`,
    )
  addServingOptions(command)
    .option('--keep', 'start it again when it dies')
    .action(
      // Loaded here only: the server and its log would slow down the start of every other command.
      action(async (context, options: ServeCommandOptions) =>
        options.keep
          ? (await import('./keep.ts')).keepServing(context)
          : (await import('./serve.ts')).serve(context, options),
      ),
    )
}

function addSendCommand(program: Command, action: ActionOf): void {
  program
    .command('send')
    .summary('send one message to an agent and wait for its answer')
    .description(
      'Sends one message to an agent and streams its answer. Exits with the exit code of the command that it ran.\n' +
        'What the agent asks before it goes on is asked at the terminal, or answered by `agentry approvals answer`.\n' +
        'Quote a message with options of its own, or put it after --.',
    )
    .argument('<agent>', 'id of the agent')
    .argument('<text...>', 'the message; a single - reads it from standard input')
    .option('--session <session>', 'make this session current first: id, beginning of the id, or name')
    .option('--task-id <id>', 'a message sent again with the same id does not run twice')
    .option('--steer', 'into the running turn, between two of its steps, if it can take it')
    .option('--quiet', 'only the answer: not what the agent does and thinks on the way')
    .option('--events', 'all events of the turn, each as a line of JSON')
    .action(action(send))
}

function addAgentCommands(program: Command, action: ActionOf): void {
  const agents = program.command('agents').description('The agents of the team.')
  agents.command('list').description('List the agents.').action(action(listAgents))
  agents
    .command('spawn')
    .description('Register an agent permanently, and start it.')
    .argument('<id>', '1 to 64 of a-z, 0-9, _ and -')
    .requiredOption('--behavior <behavior>', `${BEHAVIOR_NAMES.join(', ')}, or the path of a behavior module`)
    .option('--model <provider/model>', 'the model of an agent with the behavior llm')
    .option('--role <text>', 'what the agent is for')
    .option('--instructions <text>', 'the prompt of its sessions')
    .option('--working-dir <dir>', 'the working directory of its sessions')
    .addOption(new Option('--restart <type>', 'when it is restarted').choices(RESTART_TYPES))
    .option('--memory-mb <mb>', 'the memory it may use, in MiB', wholeNumber)
    .option('--turn-ms <ms>', 'the longest turn, in milliseconds', wholeNumber)
    .action(action(spawnAgent))
  agents
    .command('stop')
    .description('Stop an agent; it stays stopped until it is restarted.')
    .argument('<agent>', 'id of the agent')
    .action(action(stopAgent))
  agents
    .command('restart')
    .description('Restart an agent, or start one that is stopped or failed.')
    .argument('<agent>', 'id of the agent')
    .action(action(restartAgent))
  agents
    .command('remove')
    .description('Unregister an agent. Its sessions stay: an agent spawned under the same id has them again.')
    .argument('<agent>', 'id of the agent')
    .action(action(removeAgent))
}
