/** Runs once before the tests that need Temporal: whatever has to be fetched or built is, before any test's clock runs. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import { temporalCli } from '../../src/temporal/binary.js';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import { temporalTestServer } from '../../src/temporal/test-server.js';

/** The tests' own processes inherit the environment, so each finds what was made ready here at once. */
export default async function prepareTemporal(): Promise<void> {
  process.env['TENURE_TEMPORAL_CLI'] = await temporalCli();
  try {
    process.env['TENURE_TEMPORAL_TEST_SERVER'] = await temporalTestServer();
  } catch (error) {
    process.env['TENURE_TEST_SERVER_MISSING'] = (error as Error).message;
  }
  if (existsSync(path.join(packageRoot, 'workflows', 'index.ts'))) await buildWorkflowBundle();
}
