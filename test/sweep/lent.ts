/** Lent rights under the sweep: what is lent, who has it now, and what has to hold of it once everything has come to rest. */
import { reviewId, reviewMessages, type ReviewState } from '../../src/domain/elevation-review.js';
import type { IdentityState } from '../../src/domain/identity.js';
import { parseProcessId } from '../../src/domain/wire.js';
import { openEvidence } from '../../src/evidence/open.js';
import type { SealedRecord } from '../../src/evidence/reader.js';
import { eventually } from '../support/engine.js';
import { lendsNothingLate } from './late.js';
import type { Case } from './matrix.js';
import type { Subject } from './subject.js';

export const lentScope = { grants: [{ on: 'ledger', may: ['delete'] }] };

/** Rights may be on their way back for so long when their time is over, milliseconds: a worker was killed, and the machine is busy. */
const slackMs = 30_000;

/** Whether nobody gives the rights back before their time is over. */
function lastsToItsEnd({ stage, step, fault }: Case): boolean {
  if (stage === 'hold') return ['hung-before', 'kill-before'].includes(fault);
  return stage === 'elevate' && step !== 'verify' && fault === 'hung-before';
}

/** For how long they are lent: until long after they are given back, or for as short as lending them takes on a busy machine. */
export function lentForMs(swept: Case): number {
  return lastsToItsEnd(swept) ? 6_000 : 120_000;
}

/** The roles of the identity that may do what was lent. */
export async function borrowersOf({ name, lane }: Subject): Promise<string[]> {
  const rows = await lane.ground.postgres.sql(
    `SELECT rolname FROM pg_roles WHERE (rolname = '${name}' OR starts_with(rolname, '${name}_'))
     AND has_table_privilege(oid, 'public.ledger', 'DELETE') ORDER BY rolname`,
    'ledger',
  );
  return rows.map(({ rolname }) => String(rolname));
}

/** Judges every elevation among `operations`. */
export async function judgeLending(
  subject: Subject,
  state: IdentityState,
  operations: readonly string[],
): Promise<string[]> {
  const elevations = operations.filter((operation) => parseProcessId(operation)?.kind === 'elevate');
  if (elevations.length === 0) return [];
  const broken = (await borrowersOf(subject)).map((role) => `I4: ${role} may still do what was lent`);
  for (const operation of elevations) {
    const sealed = await openEvidence(subject.lane.ground.config).runsOf(operation);
    // That it left none is found for every process.
    if (sealed.length > 1) broken.push(`I5: ${operation} left ${sealed.length} records`);
    if (sealed[0])
      broken.push(
        ...broughtBack(operation, sealed[0]),
        ...isReplaced(state, sealed[0]),
        ...(await isReviewed(subject, operation, sealed[0])),
        ...(await lendsNothingLate(subject, operation)),
      );
  }
  return broken;
}

/** I8: in time, and proven; an emergency takes them away with everything else. */
function broughtBack(operation: string, { record: { outcome, proofs } }: SealedRecord): string[] {
  const { elevated } = proofs;
  if (!elevated || outcome === 'pre-empted') return [];
  if (!elevated.restored || !elevated.endedAt)
    return [`I8: ${operation} ended, and lent rights are not proven to be back`];
  const lateMs = Date.parse(elevated.endedAt) - Date.parse(elevated.until);
  return lateMs > slackMs ? [`I8: rights lent by ${operation} were back ${lateMs} ms too late`] : [];
}

/** What was seen to have the rights is nobody's credential any more. */
function isReplaced({ current }: IdentityState, { record: { plan, proofs } }: SealedRecord): string[] {
  const isStill = proofs.elevated?.granted && plan?.from && current?.version === plan.from.version;
  return isStill ? [`I5: ${current!.version} had lent rights, and is current still`] : [];
}

/** A review is open where something was lent, and none where nothing was. */
async function isReviewed(subject: Subject, operation: string, { record, digest }: SealedRecord): Promise<string[]> {
  const handle = subject.lane.client.workflow.getHandle(reviewId(operation));
  const look = (): Promise<ReviewState> => handle.query<ReviewState>(reviewMessages.state);
  const { elevated } = record.proofs;
  const wasGuarded = await handle.describe().then(
    () => true,
    () => false,
  );
  if (!wasGuarded) return elevated ? [`I8: rights were lent by ${operation}, and nobody stood guard`] : [];
  const { status, evidence, remarks } = await eventually(look, (state) => state.endedAt !== undefined, 60_000);
  if (!elevated)
    return status === 'closed' ? [] : [`I5: nothing was lent by ${operation}, and its review is ${status}`];
  return [
    ...(status === 'due' ? [] : [`I8: the review of ${operation} is ${status}`]),
    ...(evidence === digest ? [] : [`I5: ${evidence} is reviewed, and the record of ${operation} is ${digest}`]),
    ...remarks.map((remark) => `I8: the guard had to step in: ${remark}`),
  ];
}
