import { defineConfig } from 'vitest/config';

/** Folders whose tests talk to a Temporal server: its binaries are prepared once, before any test's clock runs. */
const onTemporal = ['workflows', 'sweep', 'systems', 'e2e', 'temporal', 'cli/engine'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    pool: 'forks',
    // Servers and workers of a test are programs of their own: more files at once only makes each wait for the others.
    maxWorkers: 2,
    retry: 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    allowOnly: process.env['CI'] !== 'true',
    reporters: ['default', './scripts/test-report.mjs'],
    projects: [
      {
        extends: true,
        test: { name: 'plain', include: ['test/**/*.test.ts'], exclude: [...onTemporal, '**/node_modules/**'] },
      },
      {
        extends: true,
        test: { name: 'temporal', include: onTemporal, globalSetup: 'test/support/temporal-setup.ts' },
      },
    ],
  },
});
