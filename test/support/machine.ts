/** What this machine may lack, and tests that then count as skipped, by name and with the reason. */
import { describe, it } from 'vitest';

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

/**
 * A suite on a system that was started for it. Where there is none, one skipped test of that title stands for the suite and
 * says why: its own tests cannot even be listed without the system.
 */
export function describeOn<T extends object>(
  started: T | { readonly unavailable: string },
  title: string,
  body: (system: T) => void,
): void {
  if (!('unavailable' in started)) return void describe(title, () => body(started));
  it(title, { skip: true, meta: { skipped: started.unavailable } });
}
