/**
 * What is known about an identity when policy decides, collected by the worker from its own records and from the target. Nothing of it
 * comes with the workflow, which may be anybody's.
 */
import type { Drift } from '../domain/credential.js';
import { TenureError } from '../domain/errors.js';
import type { ProcessRecord } from '../domain/evidence.js';
import type { Facts } from '../domain/facts.js';
import type { ProcessInput } from '../domain/process.js';
import { approvedIn, type ProcessPlan } from '../domain/plan.js';
import { digestOf } from '../policy/digest.js';
import { growthOf } from '../policy/scope-lines.js';
import type { Granted } from './use-watch.js';

/** Where facts come from. */
export interface FactSources {
  /** What was sealed about the identity, oldest first. */
  recordsOf(identity: string): Promise<readonly ProcessRecord[]>;
  /** How target and stores differ from what is recorded. */
  inspect(input: ProcessInput): Promise<readonly Drift[]>;
  /** Rights that are granted and that nobody was seen to use, where the target records use. */
  unusedRights?(granted: Granted): Promise<readonly string[]>;
  /** Ids of the rules that an exception lifts for it now. */
  liftedRules(identity: string, now: Date): Promise<readonly string[]>;
}

/** Collects the facts. Only for a gate, where people are shown it, the target is looked at too. */
export async function collectFacts(
  sources: FactSources,
  input: ProcessInput,
  plan: ProcessPlan,
  isGated: boolean,
  now: Date,
): Promise<Facts> {
  const { identity } = input;
  const [records, exceptions] = await Promise.all([sources.recordsOf(identity), sources.liftedRules(identity, now)]);
  const last = lastApproved(records);
  const [there, unused] =
    isGated && (input.current || last)
      ? await Promise.all([input.current ? differences(sources, input) : [], unusedOf(sources, last)])
      : [[], []];
  return {
    there,
    growth: plan.to ? growthOf(last?.plan?.to?.scope ?? {}, plan.to.scope).toSorted() : [],
    unused,
    ...(last && {
      lastApproved: {
        operation: last.operation,
        at: last.endedAt,
        scopeDigest: digestOf(last.plan!.to!.scope),
        toDigest: digestOf(last.plan!.to),
        declaredDigest: digestOf(approvedIn(last.plan!)),
      },
    }),
    exceptions: exceptions.toSorted(),
  };
}

/** What the last approved plan granted. */
export function grantedIn(records: readonly ProcessRecord[]): Granted | undefined {
  const last = lastApproved(records);
  if (!last) return undefined;
  const { target, scope } = last.plan!.to!;
  return { identity: last.identity, operation: last.operation, target, scope: scope as Granted['scope'] };
}

/** The last plan that made a credential and was carried out, in a run that was permitted: anybody's workflow can ask for a seal. */
export function lastApproved(records: readonly ProcessRecord[]): ProcessRecord | undefined {
  return records.findLast(
    ({ outcome, plan, permit }) => outcome === 'succeeded' && plan?.to !== undefined && permit !== undefined,
  );
}

/** A target that cannot be read is no reason to say that nothing differs. */
async function differences(sources: FactSources, input: ProcessInput): Promise<readonly string[]> {
  try {
    return (await sources.inspect(input)).map(({ detail }) => detail).toSorted();
  } catch (error) {
    return [`it could not be read (${codeOf(error)})`];
  }
}

/** What cannot be read is not known, and what is not known is not unused. */
async function unusedOf(sources: FactSources, last: ProcessRecord | undefined): Promise<readonly string[]> {
  const granted = last && grantedIn([last]);
  if (!granted) return [];
  try {
    return ((await sources.unusedRights?.(granted)) ?? []).toSorted();
  } catch {
    return [];
  }
}

function codeOf(error: unknown): string {
  return error instanceof TenureError ? error.code : 'OutcomeUnknown';
}
