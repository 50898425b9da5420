/** Runs cases in lanes, several at once, and keeps what came of them. */
import { runCase, type CaseReport } from './case.js';
import type { Ground } from './ground.js';
import { Lane, workerProgram } from './lane.js';
import type { Case } from './matrix.js';

export interface SweepOptions {
  /** Cases at the same time in the worker inside this process. */
  readonly inside: number;
  /** Workers as processes of their own; each takes one case at a time, since a kill strikes everything in it. */
  readonly outside: number;
  /** Called for each case that has ended. */
  readonly onReport?: (report: CaseReport) => void;
}

/** Runs the cases and gives their reports in the order of the cases. */
export async function sweep(ground: Ground, cases: readonly Case[], options: SweepOptions): Promise<CaseReport[]> {
  const reports = new Map<Case, CaseReport>();
  const work = async (lane: Lane, queue: Case[]): Promise<void> => {
    for (let swept = queue.shift(); swept; swept = queue.shift()) {
      const report = await runCase(lane, swept);
      reports.set(swept, report);
      options.onReport?.(report);
    }
  };
  const isKill = ({ fault }: Case): boolean => fault.startsWith('kill');
  const [killing, others] = [cases.filter(isKill), cases.filter((swept) => !isKill(swept))];
  await Promise.all([
    workInside(ground, others, options.inside, work),
    workOutside(ground, killing, options.outside, work),
  ]);
  return cases.map((swept) => reports.get(swept)!);
}

type Work = (lane: Lane, queue: Case[]) => Promise<void>;

async function workInside(ground: Ground, cases: readonly Case[], atOnce: number, work: Work): Promise<void> {
  if (cases.length === 0) return;
  const isExpiry = ({ way, fault }: Case): boolean => way === 'gate' && fault.startsWith('hung');
  const expiring = cases.filter(isExpiry);
  const queue = cases.filter((swept) => !isExpiry(swept));
  const lane = await Lane.inside(ground, ground.temporal.namespace);
  // A gate that closes before anybody decides needs an operator's file of its own.
  const soon = expiring.length > 0 ? await Lane.inside(ground, 'hasty-gates', { gateMs: 3_000 }) : undefined;
  try {
    await Promise.all([
      ...Array.from({ length: atOnce }, () => work(lane, queue)),
      ...(soon ? [work(soon, expiring)] : []),
    ]);
  } finally {
    await Promise.all([lane.stop(), soon?.stop()]);
  }
}

async function workOutside(ground: Ground, cases: readonly Case[], lanes: number, work: Work): Promise<void> {
  if (cases.length === 0) return;
  const program = await workerProgram(`${ground.folder}/program`);
  const queue = [...cases];
  const names = Array.from({ length: Math.min(lanes, cases.length) }, (_, index) => `killed-${index}`);
  await Promise.all(
    names.map(async (name) => {
      const lane = await Lane.outside(ground, name, program);
      try {
        await work(lane, queue);
      } finally {
        await lane.stop();
      }
    }),
  );
}
