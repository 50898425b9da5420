/** Records, decisions and exceptions that a review looks at; a test says only what differs. */
import type { Directory, Party } from '../../src/domain/directory.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { ExceptionRecord } from '../../src/domain/exception.js';
import { noFacts, type Facts } from '../../src/domain/facts.js';
import type { Finding, Reviewed } from '../../src/review/finding.js';
import { reviewSchema } from '../../src/review/options.js';
import { review } from '../../src/review/review.js';

/** A Wednesday at noon. */
export const now = new Date('2026-06-10T12:00:00.000Z');
export const dayMs = 86_400_000;

export const settings = reviewSchema.parse(undefined);

export const ago = (ms: number): string => new Date(now.getTime() - ms).toISOString();

/** One record with one decision. `after`: how long the gate was open, milliseconds. */
export interface Said {
  readonly by?: string;
  readonly approver?: string;
  readonly decision?: 'approve' | 'deny';
  readonly agoMs?: number;
  readonly after?: number;
  readonly why?: string;
  readonly reason?: string;
  readonly identity?: string;
  readonly facts?: Partial<Facts>;
  readonly kind?: ProcessRecord['kind'];
  readonly elevated?: boolean;
}

let count = 0;

export function recordOf(said: Said = {}): ProcessRecord {
  const { by = 'ada', approver, decision = 'approve', agoMs = dayMs, after = 600_000, identity = 'db' } = said;
  count += 1;
  const operation = `nhi/${identity}/rotate/${count}`;
  const at = ago(agoMs);
  const vote = { approver, decision, at, ...(said.reason !== undefined && { reason: said.reason }) };
  const gate = { requester: by, openedAt: ago(agoMs + after), votes: approver === undefined ? [] : [vote] };
  return {
    operation,
    identity,
    kind: said.kind ?? 'rotate',
    outcome: 'succeeded',
    startedAt: at,
    endedAt: at,
    request: { id: operation, kind: 'rotate', requester: by, reason: said.why ?? words() },
    gate,
    decision: { facts: { ...noFacts, ...said.facts } },
    proofs: said.elevated ? { elevated: {} } : {},
  } as unknown as ProcessRecord;
}

/** As many records, a day apart beginning a day ago unless told. */
export function records(many: number, said: Said = {}): ProcessRecord[] {
  return Array.from({ length: many }, (_, index) => recordOf({ ...said, agoMs: said.agoMs ?? (index + 1) * dayMs }));
}

/** A reason that is like no other. */
function words(): string {
  const letters = count.toString().replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!);
  return ['alpha', 'beta', 'gamma', 'delta'].map((word) => `${word}${letters}`).join(' ');
}

export function personIn(name: string, differs: Partial<Party> = {}): Party {
  return { name, kind: 'person', groups: [], keys: [], ...differs };
}

export function directoryWith(...parties: readonly Party[]): Directory {
  return { parties, revoked: [] };
}

export function exceptionOf(
  differs: Partial<ExceptionRecord['terms']> & Partial<Pick<ExceptionRecord, 'status' | 'checkedAt'>> = {},
): ExceptionRecord {
  const { status = 'active', checkedAt = ago(0), ...terms } = differs;
  count += 1;
  return {
    status,
    why: 'as the test says',
    checkedAt,
    checkEveryMs: 3_600_000,
    terms: {
      id: `exc-${count}`,
      identity: 'db',
      rules: ['a-rule'],
      until: ago(-60 * dayMs),
      afterwards: 'rotate',
      ...terms,
    },
  } as unknown as ExceptionRecord;
}

/** What the review says of these, with the usual thresholds unless told. */
export function found(reviewed: Partial<Reviewed>, differs: Partial<typeof settings> = {}): Finding[] {
  const everything = { records: [], directory: directoryWith(), identities: [], exceptions: [], now, ...reviewed };
  return review(everything, { ...settings, ...differs });
}

/** The rules and severities of the findings of one rule. */
export function of(findings: readonly Finding[], rule: string): Finding[] {
  return findings.filter((finding) => finding.rule === rule);
}
