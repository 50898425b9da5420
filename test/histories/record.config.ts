/**
 * Records the histories of the version in package.json: `npx vitest run -c test/histories/record.config.ts`. Done once for each
 * release, and committed; what is recorded is replayed for ever.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/histories/record.ts'],
    globalSetup: 'test/support/temporal-setup.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
