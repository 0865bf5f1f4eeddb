import { defineConfig, type ViteUserConfig } from 'vitest/config'

/**
 * The campaigns at length: AGENTRY_KILLS sets how many kills of a team, AGENTRY_GATEWAY_KILLS of a gateway, AGENTRY_SEED repeats a run.
 * One file at a time, so that a campaign has the machine to itself. (The short forms, and damage to every byte and bit of a session's
 * files, are in vitest.config.ts.)
 */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/crash/long/**/*.test.ts'],
    globalSetup: 'test/keep-compiled.ts',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
})

export default config
