/** What this machine may lack, and tests that then count as skipped, by name and with the reason. */
import { describe } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why this is skipped. A skip without a reason fails the run. */
    skipped?: string;
  }
}

/** Why there is no time-skipping test server; undefined when there is one. */
export const testServerMissing = process.env['TENURE_TEST_SERVER_MISSING'];

/** `describe` for what this machine has. With `lacking`, everything inside is skipped for that reason. */
export function describeUnless(lacking: string | undefined, title: string, body: () => void): void {
  describe(title, lacking === undefined ? {} : { skip: true, meta: { skipped: lacking } }, body);
}
