/**
 * Takes back what was lent and has outlived its time, by this worker's own notes. The elevation does it at its end and the guard soon
 * after; whoever can end workflows can end both.
 */
import { TenureError } from '../domain/errors.js';
import type { Lending, Loans } from './lent.js';

export interface OverdueDependencies {
  readonly loans: Loans;
  /** Throws `Fenced` where a later process has taken over and the lent rights are gone. */
  restore(back: Lending['lent']['back']): Promise<unknown>;
  alert(identity: string, operation: string, text: string): Promise<void>;
  readonly now?: () => Date;
}

/** The guard comes first, milliseconds. */
const slackMs = 3 * 60_000;
const lookEveryMs = 60_000;
/** How often operators hear of the same that cannot be taken back. */
const alertEveryMs = 60 * 60_000;

/** Looks at once and from then on every minute, until it is told to stop; that waits for a look which is under way. */
export function watchOverdue(dependencies: OverdueDependencies): () => Promise<void> {
  const look = overdueLook(dependencies);
  let looking = look();
  const timer = setInterval(() => void (looking = looking.then(look)), lookEveryMs);
  return () => {
    clearInterval(timer);
    return looking;
  };
}

/** One look. It never throws: what could not be taken back is told, and tried again by the next. */
export function overdueLook({ loans, restore, alert, now = () => new Date() }: OverdueDependencies) {
  const told = new Map<string, number>();
  return async (): Promise<void> => {
    const open = await loans.open().catch(() => []);
    const isOverdue = ({ lent }: Lending): boolean => now().getTime() > Date.parse(lent.until) + slackMs;
    for (const lending of open.filter(isOverdue)) await takeBack(lending);
  };

  async function takeBack({ identity, operation, lent }: Lending): Promise<void> {
    try {
      await restore(lent.back).catch(unlessGone);
      await loans.end(identity, operation);
      await say(identity, operation, 'were overdue: the worker took them back; find out what became of the elevation');
    } catch (error) {
      const why = error instanceof TenureError ? error.message : 'an unforeseen error';
      const isTold = now().getTime() - (told.get(operation) ?? Number.NEGATIVE_INFINITY) < alertEveryMs;
      if (!isTold) await say(identity, operation, `are overdue and could not be taken back yet: ${why}`);
      if (!isTold) told.set(operation, now().getTime());
    }
  }

  function say(identity: string, operation: string, what: string): Promise<void> {
    return alert(identity, operation, `rights lent to ${identity} ${what}`).catch(() => undefined);
  }
}

function unlessGone(error: unknown): void {
  if (!(error instanceof TenureError) || error.code !== 'Fenced') throw error;
}
