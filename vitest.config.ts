import { availableParallelism } from 'node:os'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Where to write the results as JSON too, for a program that counts them. */
const report = process.env['TEST_REPORT']

const maxWorkers = Math.max(2, availableParallelism() - 1)

/** Their tests leave nothing in their process: the files share it, and what it has loaded. */
const SHARING = ['test/{cli,client,core,dashboard,gateway,protocol}/**/*.test.{ts,tsx}']

/** How long the product takes is what they test: nothing runs beside them. */
const TIMED = [
  'test/crash/{directory-race,gateway-shutdown,supervision-*}.test.ts',
  'test/e2e/{gateway-load,serve}.test.ts',
  'test/e2e/dashboard/sizes.test.ts',
  'test/supervisor/supervisor-threads.test.ts',
]

const LONG = 'test/crash/long/**'

const config: ViteUserConfig = defineConfig({
  test: {
    pool: 'forks',
    globalSetup: 'test/keep-compiled.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // How long something takes is no question of a poll; the default of one second is short on a busy machine.
    expect: { poll: { timeout: 15_000 } },
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      { extends: true, test: { name: 'sharing', include: SHARING, isolate: false, maxWorkers } },
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...SHARING, ...TIMED, LONG],
          maxWorkers,
        },
      },
      {
        extends: true,
        test: { name: 'timed', include: TIMED, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
})

export default config
