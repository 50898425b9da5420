/** `tenure` as a function, at a Temporal server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { run } from '../../../src/cli/program.js';
import { directoryOf, directoryYaml, person } from '../../support/signers.js';
import { pretend } from './terminal.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs verbs as grace, who has a key; `address` is asked each time, since the server starts later than this is called. */
export function commandLineAt(address: () => string) {
  const config = configOfGrace();
  const env = () => ({ TEMPORAL_ADDRESS: address(), TENURE_AS: 'grace@example.com', TENURE_CONFIG: config });
  const tenure = async (...argv: string[]): Promise<Ran> => {
    const pretended = pretend({ env: env() });
    const code = await run(argv, pretended.io);
    return { code, stdout: pretended.stdout(), stderr: pretended.stderr() };
  };
  const tenureJson = async <T>(...argv: string[]): Promise<T> => {
    const { stdout } = await tenure(...argv, '--json');
    return JSON.parse(stdout) as T;
  };
  return { tenure, tenureJson, env };
}

/** An operator's file that names her, with her key beside it. */
function configOfGrace(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenure-grace-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const grace = person('grace@example.com');
  mkdirSync(join(folder, '.tenure', 'keys'), { recursive: true });
  writeFileSync(join(folder, '.tenure', 'keys', `${grace.name}.pem`), grace.pem!, { mode: 0o600 });
  writeFileSync(join(folder, 'tenure.yaml'), directoryYaml(directoryOf(grace)));
  return join(folder, 'tenure.yaml');
}
