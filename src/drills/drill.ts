import type { Range } from './range.js';

/** What came of a drill: whether the control held, and what shows it. */
export interface Finding {
  readonly held: boolean;
  readonly proof: string;
}

/** One abuse path, tried for real. It leaves everything as it was. */
export interface Drill {
  readonly id: string;
  /** What is tried. */
  readonly title: string;
  /** What not every range has. */
  readonly needs?: readonly ('machine' | 'hand')[];
  run(range: Range): Promise<Finding>;
}

/** The result of one drill. `not run` is no success: it says what was missing. */
export interface DrillResult {
  readonly id: string;
  readonly title: string;
  readonly outcome: 'held' | 'broken' | 'not run';
  readonly proof: string;
  readonly ms: number;
}

/** Holds the drills one after the other. One that cannot be brought to its end counts as broken: nobody knows whether it holds. */
export async function hold(
  drills: readonly Drill[],
  range: Range,
  tell: (result: DrillResult) => void = () => undefined,
): Promise<readonly DrillResult[]> {
  const results: DrillResult[] = [];
  for (const drill of drills) {
    const result = await holdOne(drill, range);
    results.push(result);
    tell(result);
  }
  return results;
}

async function holdOne({ id, title, needs = [], run }: Drill, range: Range): Promise<DrillResult> {
  const missing = needs.filter((need) => range[need] === undefined);
  if (missing.length > 0) return { id, title, outcome: 'not run', proof: whatIsMissing[missing[0]!], ms: 0 };
  const begin = Date.now();
  try {
    const { held, proof } = await run(range);
    return { id, title, outcome: held ? 'held' : 'broken', proof, ms: Date.now() - begin };
  } catch (error) {
    return {
      id,
      title,
      outcome: 'broken',
      proof: `it could not be held: ${(error as Error).message}`,
      ms: Date.now() - begin,
    };
  }
}

const whatIsMissing = {
  machine: 'it needs a service or an automation of the directory that can sign here: --machine NAME',
  hand: 'it changes the operator’s files, which is not done on a system in use: npm run drill',
} as const;
