/**
 * `npm run coverage`: every branch of what decides, and of what it decides with, is taken by a test that needs no server. Each file has to have
 * all of them.
 */
import { defineConfig } from 'vitest/config';

const leftOut = [
  // Types alone.
  'src/domain/{decision,request}.ts',
  // Which keys an agent, git and the home folder have: what other programs answer on this machine.
  'src/trust/ssh-signer.ts',
  // Reads and writes the file of what was seen; what follows from it is `src/domain/use.ts`.
  'src/trust/use-watch.ts',
  // Its one line is for versions of Node of which only one runs the tests.
  'src/policy/v8-flag.ts',
];

export default defineConfig({
  test: {
    include: ['domain', 'trust', 'policy', 'activities', 'exceptions'].map((folder) => `test/${folder}/**/*.test.ts`),
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    testTimeout: 60_000,
    reporters: ['dot'],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['src/domain/**', 'src/trust/**', 'src/policy/**'],
      exclude: leftOut,
      reporter: ['text'],
      reportsDirectory: 'test-output/coverage',
      thresholds: { branches: 100, perFile: true },
    },
  },
});
