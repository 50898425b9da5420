/** The answer of a verification: one check after another, each held, broken, or not to be known from the bundle. */

export interface Check {
  /** `log`, or the operation with its entry's index, e.g. `nhi/app/rotate/2 (entry 7)`. */
  readonly subject: string;
  readonly check: string;
  readonly verdict: 'held' | 'broken' | 'unknown';
  /** One short sentence: what was found. */
  readonly detail: string;
}

/** What a single check finds. */
export type Finding = Omit<Check, 'subject' | 'check'>;

export function held(detail: string): Finding {
  return { verdict: 'held', detail };
}

export function broken(detail: string): Finding {
  return { verdict: 'broken', detail };
}

export function unknown(detail: string): Finding {
  return { verdict: 'unknown', detail };
}

/** Held where nothing speaks against it: `problems` say what does. */
export function unless(problems: readonly (string | false | undefined)[], detail: string): Finding {
  const found = problems.filter((problem) => typeof problem === 'string');
  return found.length === 0 ? held(detail) : broken(found.join('; '));
}

/** Makes one check. What it stumbles over is broken too: a bundle may hold anything. */
export async function check(subject: string, name: string, find: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    return { subject, check: name, ...(await find()) };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0]! : 'it cannot be read';
    return { subject, check: name, ...broken(why.slice(0, 500)) };
  }
}
