/**
 * `npm run coverage`: every branch of what decides is taken by a test that needs no server. Each file has to have all of them; what is left
 * out decides nothing, and is tested where it is used.
 */
import { defineConfig } from 'vitest/config';

const decidesNothing = [
  // Types alone.
  'src/domain/{decision,request}.ts',
  // Where keys, agents and files are: the answers of other programs.
  'src/trust/{ssh-signer,pem-signer,sign,development-keys,directory-file,use-watch}.ts',
  // One line is for versions of Node that this one is not.
  'src/policy/cedar.ts',
  // Questions that nobody asks yet, and tables of them: for people, before a worker decides.
  'src/policy/{explain,foresee,imaginable,table*}.ts',
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
      exclude: decidesNothing,
      reporter: ['text'],
      reportsDirectory: 'test-output/coverage',
      thresholds: { branches: 100, perFile: true },
    },
  },
});
