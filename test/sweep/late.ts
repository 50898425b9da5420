/** I7: what comes only when everything has come to rest has to change nothing. */
import { createCredentialActivities } from '../../activities/credentials.js';
import type { Change, CredentialActivities } from '../../activities/contract.js';
import { epochOf, undoEpoch } from '../../src/domain/epoch.js';
import { TenureError } from '../../src/domain/errors.js';
import { parseProcessId } from '../../src/domain/wire.js';
import type { Subject } from './subject.js';

/** An attempt of the first process that comes only now. */
export async function nothingChangesLate(subject: Subject): Promise<string[]> {
  const { ground, spoil } = subject.lane;
  const first = [...subject.made.keys()].find((operation) => parseProcessId(operation)?.number === 1);
  const { epoch: atStore } = await ground.store.describe(subject.paths[0]!);
  if (!first || atStore <= undoEpoch(epochOf(1))) return [];
  const atTarget = await epochAtTarget(subject);
  const material = subject.made.get(first)!.at(-1)!;
  const late: Change = {
    identity: subject.name,
    operation: first,
    epoch: epochOf(1),
    spec: subject.spec,
    to: {
      version: first,
      target: 'ledger',
      principal: material['username'] ?? '',
      fingerprint: '',
      deliveries: subject.spec.deliver,
      createdAt: '',
    },
  };
  const target = spoil.target(ground.targets.get('ledger'));
  const store = spoil.store(ground.store);
  const activities = createCredentialActivities({ target: () => target, store: () => store });
  const ended = { ...late, from: late.to!, reach: 'these' as const };
  const attempts: Record<string, () => Promise<unknown>> = {
    stage: () => activities.stage(late),
    publish: () => activities.publish(late),
    withdraw: () => activities.withdraw(late),
    discard: () => activities.discard(late),
    // Where the target has heard of nobody since, the first process may say again what it said.
    ...(atTarget > undoEpoch(epochOf(1)) && {
      install: () => activities.install(late),
      uninstall: () => activities.uninstall(late),
      retire: () => activities.retire(ended),
      purge: () => activities.purge(ended),
    }),
  } satisfies Partial<Record<keyof CredentialActivities, () => Promise<unknown>>>;
  return notFencedOff(first, attempts);
}

async function notFencedOff(
  operation: string,
  attempts: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<string[]> {
  const broken: string[] = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    const code = await patiently(attempt).then(() => 'done', codeOf);
    if (code !== 'Fenced' && !(name === 'install' && code === 'Conflict'))
      broken.push(`I7: a late ${name} of ${operation} was ${code}, and not fenced off`);
  }
  return broken;
}

/** An attempt at lending, or at taking back, that comes only now. */
export async function lendsNothingLate(subject: Subject, operation: string): Promise<string[]> {
  const { ground, spoil } = subject.lane;
  const epoch = epochOf(parseProcessId(operation)!.number);
  const seen = await epochAtTarget(subject);
  const late = { identity: subject.name, operation, epoch, spec: subject.spec };
  const back = { ...late, epoch: undoEpoch(epoch) };
  const target = spoil.target(ground.targets.get('ledger'));
  const activities = createCredentialActivities({ target: () => target, store: () => ground.store });
  return notFencedOff(operation, {
    ...(seen > late.epoch && { elevate: () => activities.elevate(late) }),
    ...(seen > back.epoch && { restore: () => activities.restore(back) }),
  });
}

/** The epoch that the roles of the identity carry; 0 where there are none. */
async function epochAtTarget({ name, lane }: Subject): Promise<number> {
  const rows = await lane.ground.postgres.sql(
    `SELECT shobj_description(oid, 'pg_authid') AS mark FROM pg_roles WHERE rolname = '${name}' OR starts_with(rolname, '${name}_')`,
  );
  const epochs = rows.map(({ mark }) => (JSON.parse(String(mark).replace('tenure:', '')) as { epoch: number }).epoch);
  return Math.max(0, ...epochs);
}

/** A busy machine is no answer. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = 5; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0 || !['TargetUnavailable', 'OutcomeUnknown'].includes(codeOf(error))) throw error;
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof TenureError ? error.code : String(error);
}
