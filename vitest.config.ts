import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Where to write the results as JSON too, for a program that counts them. */
const report = process.env['TEST_REPORT']

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/crash/long/**'],
    globalSetup: 'test/keep-compiled.ts',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
})

export default config
