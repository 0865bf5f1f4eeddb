/**
 * Which part of the source may use which: downward only.
 *
 *   errors <- core <- protocol, store <- runtime <- workers
 *                                     <- supervisor
 *   team composes all of these; gateway serves what api describes, client asks it, dashboard shows it; cli composes
 *   them all.
 */
import type { Rules } from './check.ts'

const FOUNDATION = ['core', 'errors']

export const RULES: Rules = {
  layers: [
    { name: 'errors', paths: ['src/errors.ts'], imports: [] },
    { name: 'core', paths: ['src/core/'], imports: ['errors'] },
    { name: 'agent-spec', paths: ['src/agent-spec.ts', 'src/llm-spec.ts'], imports: ['core'] },
    // Modules of users' behaviors and tools import these: they stay light.
    {
      name: 'behavior',
      paths: ['src/behavior.ts'],
      imports: ['define-tool'],
      types: ['core', 'protocol'],
    },
    {
      name: 'define-tool',
      paths: ['src/runtime/tools/define-tool.ts', 'src/runtime/tools/tool.ts'],
      imports: FOUNDATION,
      types: ['behavior'],
    },
    // The store's port names what a session is (claims, notes); no envelope does anything with a store.
    {
      name: 'protocol',
      paths: ['src/protocol/'],
      imports: FOUNDATION,
      types: ['agent-spec', 'store'],
    },
    { name: 'store', paths: ['src/store/'], imports: FOUNDATION, types: ['agent-spec'] },
    // The supervisor's view of the store: it answers in the words of the public interface.
    {
      name: 'catalog',
      paths: ['src/store/catalog.ts', 'src/store/find-session.ts'],
      imports: [...FOUNDATION, 'store'],
      types: ['api'],
    },
    {
      name: 'api',
      paths: ['src/api.ts'],
      imports: [],
      types: [...FOUNDATION, 'agent-spec', 'protocol', 'store'],
    },
    {
      name: 'runtime',
      paths: ['src/runtime/'],
      imports: [...FOUNDATION, 'agent-spec', 'behavior', 'define-tool', 'protocol', 'store'],
    },
    {
      name: 'workers',
      paths: ['workers/'],
      imports: [...FOUNDATION, 'protocol', 'runtime', 'store'],
    },
    { name: 'validation', paths: ['src/validation.ts'], imports: FOUNDATION },
    // A whole session from elsewhere: a program gives one to the supervisor, a file to the command line.
    {
      name: 'imported-session',
      paths: ['src/imported-session.ts'],
      imports: [...FOUNDATION, 'protocol', 'validation'],
    },
    {
      name: 'supervisor',
      paths: ['src/supervisor/'],
      imports: [...FOUNDATION, 'agent-spec', 'api', 'catalog', 'imported-session', 'protocol', 'store'],
    },
    {
      name: 'options',
      paths: ['src/options.ts', 'src/llm-options.ts', 'src/model-options.ts', 'src/config-file.ts'],
      imports: [...FOUNDATION, 'agent-spec', 'validation'],
      types: ['api', 'protocol', 'store'],
    },
    {
      name: 'team',
      paths: ['src/team.ts', 'src/team/', 'src/index.ts'],
      imports: [
        ...FOUNDATION,
        'agent-spec',
        'api',
        'behavior',
        'catalog',
        'options',
        'protocol',
        'runtime',
        'store',
        'supervisor',
      ],
    },
    // Any team will do, in this process or not: the gateway knows its interface only.
    {
      name: 'gateway',
      paths: ['src/gateway/'],
      imports: [...FOUNDATION, 'catalog', 'validation'],
      types: ['agent-spec', 'api', 'protocol', 'store'],
    },
    {
      name: 'client',
      paths: ['src/client/'],
      imports: [...FOUNDATION, 'catalog', 'store'],
      types: ['agent-spec', 'api', 'protocol'],
    },
    // Over the client alone, in whatever process the team is.
    {
      name: 'dashboard',
      paths: ['src/dashboard/'],
      imports: [...FOUNDATION, 'agent-spec', 'catalog', 'client'],
      types: ['api', 'protocol', 'store'],
    },
    // A team of the same program gets a gateway without a port.
    {
      name: 'dashboard-start',
      paths: ['src/dashboard/start.ts'],
      imports: [...FOUNDATION, 'client', 'dashboard', 'gateway'],
      types: ['api'],
    },
    {
      name: 'cli',
      paths: ['src/cli/'],
      imports: [
        ...FOUNDATION,
        'agent-spec',
        'api',
        'catalog',
        'client',
        'dashboard',
        'gateway',
        'imported-session',
        'options',
        'store',
        'team',
        'validation',
      ],
      types: ['protocol'],
    },
  ],
  doors: [
    { module: 'piscina', paths: ['src/supervisor/thread-host.ts'], why: 'threads come from one host' },
    {
      module: 'msgpackr',
      paths: [
        'src/protocol/codec.ts',
        // Bodies of answers, for clients that ask for them.
        'src/gateway/msgpack.ts',
      ],
      why: 'one codec makes all frames',
    },
    { module: 'hono', paths: ['src/gateway/'], why: 'HTTP is the gateway’s' },
    { module: '@hono/node-server', paths: ['src/gateway/'], why: 'HTTP is the gateway’s' },
    { module: '@hono/zod-openapi', paths: ['src/gateway/'], why: 'HTTP is the gateway’s' },
    { module: 'prom-client', paths: ['src/gateway/metrics.ts'], why: 'figures are counted in one place' },
    { module: 'pino', paths: ['src/cli/'], why: 'what is logged where is the command line’s' },
    { module: 'fs-native-extensions', paths: ['src/store/directory-lock.ts'], why: 'one kind of lock' },
    {
      module: 'zod',
      paths: [
        'src/options.ts',
        'src/llm-options.ts',
        'src/model-options.ts',
        'src/config-file.ts',
        'src/validation.ts',
        // Sessions that come in whole, through the library or from a file.
        'src/imported-session.ts',
        'src/store/',
        'src/gateway/',
        'src/cli/',
        // What a model gives a tool comes from outside.
        'src/runtime/tools/',
        'src/runtime/behaviors/llm/',
      ],
      why: 'schemas stand at the edges, inside types are trusted',
    },
    { module: 'ai', paths: ['src/runtime/models/'], why: 'models are asked in one place' },
    { module: '@ai-sdk/provider', paths: ['src/runtime/models/'], why: 'models are asked in one place' },
    {
      module: '@ai-sdk/openai-compatible',
      paths: ['src/runtime/models/'],
      why: 'models are asked in one place',
    },
    { module: '@ai-sdk/openai', paths: ['src/runtime/models/'], why: 'models are asked in one place' },
    { module: '@ai-sdk/anthropic', paths: ['src/runtime/models/'], why: 'models are asked in one place' },
    { module: '@ai-sdk/google', paths: ['src/runtime/models/'], why: 'models are asked in one place' },
    { module: '@modelcontextprotocol/client', paths: ['src/runtime/mcp/'], why: 'one client for MCP' },
    { module: 'diff', paths: ['src/runtime/tools/'], why: 'patches are applied by a tool' },
    { module: 'picomatch', paths: ['src/runtime/tools/'], why: 'globs are matched by tools' },
    { module: 'ipaddr.js', paths: ['src/runtime/tools/'], why: 'one tool decides what is a private address' },
    { module: 'undici', paths: ['src/runtime/tools/'], why: 'one tool fetches' },
    { module: 'ink', paths: ['src/dashboard/view/'], why: 'the terminal is drawn in one folder' },
    { module: 'react', paths: ['src/dashboard/view/'], why: 'the terminal is drawn in one folder' },
    {
      module: 'string-width',
      paths: ['src/dashboard/model/'],
      why: 'lines are measured where they are made',
    },
    { module: 'commander', paths: ['src/cli/'], why: 'arguments are the command line’s' },
    { module: 'yaml', paths: ['src/config-file.ts', 'src/cli/'], why: 'YAML is the configuration’s' },
    {
      module: 'node:fs',
      paths: [
        // Every call on session files: tests replace it to fail at the n-th.
        'src/store/durable-fs.ts',
        // Opens and locks a file that holds no data.
        'src/store/directory-lock.ts',
        // Reads /proc.
        'src/runtime/processes/',
        // Look whether a working directory is there.
        'src/runtime/session-set.ts',
        'src/runtime/behaviors/shell.ts',
        // Files are what these tools are for; those of the data directory are refused.
        'src/runtime/tools/',
        // Reads what the user named: a configuration, a module, a folder.
        'src/options.ts',
        'src/llm-options.ts',
        'src/config-file.ts',
        // Reads the assets of the page that shows its routes.
        'src/gateway/docs-page.ts',
        // A person's own history of lines, beside the data.
        'src/dashboard/history-file.ts',
        // Reads and writes the files that a command names (import, export).
        'src/cli/',
      ],
      why: 'files of the data directory are touched only through durable-fs.ts',
    },
    {
      module: 'node:child_process',
      paths: ['src/runtime/processes/', 'src/runtime/mcp/', 'src/cli/'],
      why: 'commands are run, watched and ended in one place',
    },
    {
      module: 'node:worker_threads',
      paths: [
        'src/supervisor/thread-host.ts',
        'src/supervisor/thread-stay.ts',
        'src/supervisor/thread-usage.ts',
        'src/protocol/port.ts',
        'workers/',
      ],
      why: 'threads and ports are met at their ends',
    },
  ],
  computedImports: [
    { paths: ['src/runtime/load-module.ts'], why: 'the module of a behavior or a tool is the user’s' },
    { paths: ['src/cli/bin.ts'], why: 'checks the version of Node before anything is loaded' },
  ],
}
