import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** The long campaigns: thousands of kills, cuts and flips. One file at a time, so that a campaign has the machine to itself. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/crash/long/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
})

export default config
