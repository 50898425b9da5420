/** How long one decision takes, with the policies that come with Tenure. */
import { performance } from 'node:perf_hooks';
import { policySource } from '../src/policy/policy.js';
import { questionFrom } from '../src/policy/table-question.js';
import { givenSchema, usualCast } from '../src/policy/table-schema.js';

/** Milliseconds. */
export interface Decisions {
  /** To read the folder, check it against the schema and decide for the first time: once for each change of the policies. */
  readonly firstMs: number;
  /** To look whether the folder has changed: before every decision. */
  readonly currentMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

/** Decides `times` times on a rotation in production that waits at two gates: two evaluations of all policies each. */
export async function measureDecisions(times = 2_000): Promise<Decisions> {
  const identity = { environment: 'production', dataClass: 'regulated' };
  const question = questionFrom(givenSchema.parse({ ask: 'rotate', identity }), usualCast);
  const source = policySource({ productionEnvironments: ['production'] });
  const begun = performance.now();
  const policy = await source.current();
  policy.decide(question);
  const firstMs = performance.now() - begun;
  const again = performance.now();
  for (let index = 0; index < looks; index += 1) await source.current();
  const currentMs = (performance.now() - again) / looks;
  for (let index = 0; index < times / 10; index += 1) policy.decide(question);
  const taken = Array.from({ length: times }, () => timed(() => policy.decide(question)));
  const sorted = taken.toSorted((one, other) => one - other);
  const total = taken.reduce((sum, one) => sum + one, 0);
  return {
    firstMs,
    currentMs,
    p50Ms: sorted[Math.floor(times * 0.5)]!,
    p99Ms: sorted[Math.floor(times * 0.99)]!,
    perSecond: (times / total) * 1_000,
  };
}

const looks = 50;

function timed(work: () => unknown): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}
