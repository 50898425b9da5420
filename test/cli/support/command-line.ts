/** `tenure` as a function, at a Temporal server. */
import { run } from '../../../src/cli/program.js';
import { pretend } from './terminal.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs verbs as grace; `address` is asked each time, since the server starts later than this is called. */
export function commandLineAt(address: () => string) {
  const tenure = async (...argv: string[]): Promise<Ran> => {
    const pretended = pretend({ env: { TEMPORAL_ADDRESS: address(), TENURE_AS: 'grace@example.com' } });
    const code = await run(argv, pretended.io);
    return { code, stdout: pretended.stdout(), stderr: pretended.stderr() };
  };
  const tenureJson = async <T>(...argv: string[]): Promise<T> => {
    const { stdout } = await tenure(...argv, '--json');
    return JSON.parse(stdout) as T;
  };
  return { tenure, tenureJson };
}
