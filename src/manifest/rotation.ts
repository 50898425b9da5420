/** From a rotation policy as written to the one that an identity carries. */
import type { IdentitySpec, RotationPolicy, Strategy } from '../domain/identity.js';
import { digestOf } from '../policy/digest.js';
import { parseCron } from '../schedule/cron.js';
import { policyProblems } from '../schedule/problems.js';
import type { PolicyProblem } from '../schedule/problems.js';
import { formatDuration } from './duration.js';
import type { WrittenPolicy } from './schema.js';

const hourMs = 3_600_000;

/** The policy of `rotation: manual`: rotated only when asked. */
export const manualPolicy: WrittenPolicy = {
  manual: true,
  jitter: 0,
  freeze: [],
  whenInUse: 'ask',
  whenNoWindow: 'skip',
  whenNotTaken: 'unwind',
};

/** What is wrong with a policy, whoever uses it. */
export function writtenProblems(written: WrittenPolicy): PolicyProblem[] {
  const cron = written.cron === undefined ? undefined : parseCron(written.cron);
  const problems: PolicyProblem[] = cron && 'problem' in cron ? [{ field: 'cron', ...cron }] : [];
  const isScheduled = written.every !== undefined || written.cron !== undefined;
  if (isScheduled === (written.manual === true)) {
    const problem = isScheduled ? 'a schedule and `manual` together' : 'neither `every` nor `cron`';
    problems.push({ field: 'every', problem, fix: 'Write `every`, `cron`, or `manual: true`.' });
  }
  return [...problems, ...policyProblems(policyOf(written, 'unnamed', 'in-place'))];
}

/** The policy that an identity carries: defaults filled in, and a name that equal content shares when none was given. */
export function policyOf(written: WrittenPolicy, name: string | undefined, strategy: Strategy): RotationPolicy {
  const cron = written.cron === undefined ? undefined : parseCron(written.cron);
  const policy = {
    strategy: written.strategy ?? strategy,
    ...(written.every === undefined ? {} : { everyMs: written.every }),
    ...(cron === undefined || 'problem' in cron ? {} : { cron }),
    ...(written.window === undefined ? {} : { window: written.window.trim().replaceAll(/\s+/g, ' ') }),
    graceMs: written.grace ?? Math.min(hourMs, Math.floor((written.every ?? Infinity) / 4)),
    whenInUse: written.whenInUse,
    jitterMs: written.jitter,
    freeze: written.freeze,
    whenNoWindow: written.whenNoWindow,
    whenNotTaken: written.whenNotTaken,
  };
  return { name: name ?? derivedName(policy), ...policy };
}

/** Depends on the content alone, so that it stays the same whichever files are read, and one Schedule serves all that share it. */
function derivedName(policy: Omit<RotationPolicy, 'name'>): string {
  const digest = digestOf(policy).slice('sha256:'.length, 'sha256:'.length + 8);
  const start =
    policy.everyMs === undefined ? (policy.cron ? 'cron' : 'manual') : `every-${formatDuration(policy.everyMs)}`;
  return `${start}-${digest}`;
}

/** One policy for each name, for the Schedules: identities of a named policy may differ in their strategy, never in their times. */
export function schedulePolicies(identities: readonly IdentitySpec[]): RotationPolicy[] {
  const byName = new Map<string, RotationPolicy>();
  for (const { rotation } of [...identities].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!byName.has(rotation.name)) byName.set(rotation.name, rotation);
  }
  return [...byName.values()];
}
