import { CancellationScope } from '@temporalio/workflow';
import type { StageName } from '../../src/domain/process.js';
import { failureOf } from './failure.js';

interface Undo {
  readonly stage: StageName;
  readonly undo: () => Promise<unknown>;
}

/** An undo that failed: what is left at which stage. */
export interface Leftover {
  readonly stage: StageName;
  readonly message: string;
}

/**
 * What is taken back only after something else has been: a credential that the store still gives to consumers stays accepted, and
 * what is swapped out of the way later has to be discarded then.
 */
const onlyAfter: Partial<Record<StageName, StageName>> = { install: 'publish', stage: 'publish' };

/**
 * The way back of a process. Each undo is registered before its step, since a step that timed out may have taken effect.
 * Undoing runs newest first, outside cancellation, goes on with what does not depend on one that fails, and keeps every failure.
 */
export class Unwind {
  private steps: Undo[] = [];

  /** Registers how to take back `stage`. It has to be harmless when the step never happened. */
  before(stage: StageName, undo: () => Promise<unknown>): void {
    this.steps.push({ stage, undo });
  }

  /** Forgets every undo: from here on there is only forward. */
  forget(): void {
    this.steps = [];
  }

  hasSteps(): boolean {
    return this.steps.length > 0;
  }

  /** Undoes everything. What failed stays registered, so that calling this again tries just that. */
  async run(onUndone: (stage: StageName, leftover?: Leftover) => void): Promise<readonly Leftover[]> {
    return CancellationScope.nonCancellable(async () => {
      const leftovers: Leftover[] = [];
      const failed: Undo[] = [];
      for (const step of this.steps.toReversed()) {
        const first = failed.find(({ stage }) => stage === onlyAfter[step.stage]);
        const leftover = first ? kept(step, first) : await attempt(step);
        onUndone(step.stage, leftover);
        if (!leftover) continue;
        leftovers.push(leftover);
        failed.unshift(step);
      }
      this.steps = failed;
      return leftovers;
    });
  }
}

function kept({ stage }: Undo, first: Undo): Leftover {
  return { stage, message: `is kept until ${first.stage} is taken back` };
}

async function attempt({ stage, undo }: Undo): Promise<Leftover | undefined> {
  try {
    await undo();
    return undefined;
  } catch (error) {
    return { stage, message: failureOf(error).message };
  }
}
