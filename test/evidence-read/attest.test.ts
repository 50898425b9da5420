import { expect, test } from 'vitest';
import { attest, type Selection } from '../../src/evidence/read/attest.js';
import { attestationOf } from '../../src/evidence/read/attestation.js';
import type { Limits } from '../../src/evidence/read/checks.js';
import { parseStatement } from '../../src/evidence/statement.js';
import { canonicalJson } from '../../src/canonical-json.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { attested, credential, decision, gate, record, sealed, signed, vote } from './records.js';

const day = 86_400_000;
const now = new Date('2026-03-11T12:01:00.000Z');
const named: Selection = { identities: ['payments-db'] };

function verdictOf(records: readonly ProcessRecord[], limits: Limits, selection = named, at = now) {
  const [verdict] = attest(records.map(sealed), selection, limits, at);
  return { holds: verdict!.holds, failing: verdict!.checks.filter(({ holds }) => !holds), checks: verdict!.checks };
}

const validation = (number: number, endedAt: string, more: Partial<ProcessRecord> = {}): ProcessRecord =>
  record({ kind: 'validate', number, endedAt, after: record().after, ...more });

test.each([
  ['as old as the limit', 10 * day, true],
  ['a millisecond older', 10 * day - 1, false],
])('a rotation that is %s: %#', (_what, maxRotationAgeMs, holds) => {
  const verdict = verdictOf([record()], { maxRotationAgeMs });
  expect(verdict.holds).toBe(holds);
  if (!holds) expect(verdict.failing).toMatchObject([{ check: 'rotation', next: 'tenure rotate payments-db' }]);
});

test('only a rotation that succeeded counts', () => {
  const failed = record({ number: 4, endedAt: '2026-03-11T12:00:00.000Z', outcome: 'undone' });
  expect(verdictOf([record(), failed], { maxRotationAgeMs: day }).failing).toMatchObject([
    { check: 'rotation', operation: 'nhi/payments-db/rotate/3' },
  ]);
});

test('the newest record counts, whatever the order in which they come', () => {
  const newer = record({ number: 4, endedAt: '2026-03-11T12:00:00.000Z' });
  for (const records of [
    [record(), newer],
    [newer, record()],
  ]) {
    expect(verdictOf(records, { maxRotationAgeMs: day }).holds).toBe(true);
  }
});

test('a record from the future does not make anything fresh, but a clock may be a minute ahead', () => {
  const ahead = (ms: number): ProcessRecord => record({ endedAt: new Date(now.getTime() + ms).toISOString() });
  expect(verdictOf([ahead(60_000)], { maxRotationAgeMs: day }).holds).toBe(true);
  const { failing } = verdictOf([ahead(60_001)], { maxRotationAgeMs: day });
  expect(failing[0]!.found).toContain('in the future');
});

test('a rotation proves what a validation proves, until a later validation finds a difference', () => {
  const limits = { maxValidationAgeMs: 10 * day };
  expect(verdictOf([record()], limits).holds).toBe(true);
  const drift = [{ what: 'right' as const, problem: 'excess' as const, detail: 'it may delete' }];
  const found = validation(4, '2026-03-11T12:00:00.000Z', { proofs: { ...record().proofs, drift } });
  expect(verdictOf([record(), found], limits).failing).toMatchObject([
    { check: 'validation', found: 'the last one found: it may delete', next: 'tenure validate payments-db --repair' },
  ]);
  const repaired = validation(5, '2026-03-11T12:00:30.000Z', {
    proofs: { ...record().proofs, drift },
    plan: { ...record().plan!, repair: true },
  });
  expect(verdictOf([record(), found, repaired], limits).holds).toBe(true);
});

test.each<[string, Partial<ProcessRecord>]>([
  ['that failed', { outcome: 'undone' }],
  ['without a login that was accepted', { proofs: {} }],
  ['with more rights than declared', { proofs: { accepted: { ...record().proofs.accepted!, excess: ['delete'] } } }],
  ['with fewer rights than declared', { proofs: { accepted: { ...record().proofs.accepted!, missing: ['select'] } } }],
])('a validation %s does not count, and undoes the one before', (_what, more) => {
  const last = validation(4, '2026-03-11T12:00:00.000Z', more);
  expect(verdictOf([record(), last], { maxValidationAgeMs: 30 * day }).failing).toMatchObject([
    { check: 'validation' },
  ]);
});

test('an approval counts for each person, and never that of who asked, for whom, or who answers for the machine that asked', () => {
  const approved = (...people: string[]): ProcessRecord =>
    record({
      gate: gate({ votes: people.map((person) => vote(person)) }),
      request: { id: 'r', kind: 'rotate', requester: 'automation/tenure', onBehalfOf: 'ada@example.com' },
      decision: decision({ requester: attested('automation/tenure', { owner: 'owner@example.com' }) }),
    });
  const limits = { approvals: 1 };
  expect(verdictOf([approved('grace@example.com')], limits).holds).toBe(true);
  expect(verdictOf([approved('ada@example.com')], limits).holds).toBe(false);
  expect(verdictOf([approved('owner@example.com')], limits).holds).toBe(false);
  expect(verdictOf([approved()], limits).failing).toMatchObject([
    { check: 'approval', found: expect.stringContaining('nobody') },
  ]);
  const twice = approved('grace@example.com', 'grace@example.com');
  expect(verdictOf([twice], { approvals: 2 }).holds).toBe(false);
  expect(verdictOf([approved('grace@example.com', 'hopper@example.com')], { approvals: 2 }).holds).toBe(true);
});

test.each<[string, Partial<ProcessRecord>]>([
  ['at a gate that was denied', { gate: gate({ votes: [vote('grace@example.com')], outcome: 'denied' }) }],
  ['on another plan', { gate: gate({ votes: [vote('grace@example.com', { planDigest: 'sha256:00' })] }) }],
  ['that is a denial', { gate: gate({ votes: [vote('grace@example.com', { decision: 'deny' })] }) }],
])('a vote %s is no approval', (_what, more) => {
  expect(verdictOf([record(more)], { approvals: 1 }).holds).toBe(false);
});

test('an approval in advance counts for its own kinds and identities, and where policy permitted with it', () => {
  const advance = (kinds: string[], identities: string[]) => [
    signed({ typ: 'tenure/advance@v1', id: 'a-1', approver: 'grace@example.com', kinds, identities }),
  ];
  const held = { id: 'a-1', approver: 'grace@example.com', groups: [], key: 'SHA256:grace', stepUp: false };
  const inAdvance = { approvals: [held], spared: [], directory: 'sha256:0' };
  const with_ = (kinds: string[], identities: string[], permitted = true, isVerified = true): ProcessRecord =>
    record({
      request: { id: 'r', kind: 'rotate', requester: 'ada@example.com', advance: advance(kinds, identities) },
      decision: decision({ permitted, ...(isVerified && { inAdvance }) }),
    });
  expect(verdictOf([with_(['rotate'], ['payments-db'])], { approvals: 1 }).holds).toBe(true);
  expect(verdictOf([with_(['revoke'], ['payments-db'])], { approvals: 1 }).holds).toBe(false);
  expect(verdictOf([with_(['rotate'], ['other-db'])], { approvals: 1 }).holds).toBe(false);
  expect(verdictOf([with_(['rotate'], ['payments-db'], false)], { approvals: 1 }).holds).toBe(false);
  expect(verdictOf([with_(['rotate'], ['payments-db'], true, false)], { approvals: 1 }).holds).toBe(false);
});

test('the approval that counts is that of what made the credential, not of a later look', () => {
  const approvedLook = validation(4, '2026-03-11T12:00:00.000Z', {
    gate: gate({ votes: [vote('grace@example.com')] }),
  });
  expect(verdictOf([record(), approvedLook], { approvals: 1 }).holds).toBe(false);
});

test.each<[ProcessRecord['kind'], string]>([
  ['revoke', 'tenure rotate payments-db'],
  ['offboard', 'take payments-db out of the release'],
])('an identity without a credential after %s does not hold when it is named', (kind, next) => {
  const ended = record({ kind, number: 4, endedAt: '2026-03-11T12:00:00.000Z', after: {} });
  expect(verdictOf([record(), ended], { maxRotationAgeMs: 30 * day }).failing).toMatchObject([
    { check: 'credential', next },
  ]);
});

test('an identity that a process left unfinished does not hold, however fresh it is', () => {
  const broken = record({
    kind: 'validate',
    number: 4,
    endedAt: '2026-03-11T12:00:00.000Z',
    outcome: 'unfinished',
    leftovers: ['a login'],
  });
  const { failing } = verdictOf([record(), broken], { maxRotationAgeMs: 30 * day });
  expect(failing).toMatchObject([{ check: 'last process', found: 'validate unfinished, left: a login' }]);
});

test('a name without a record does not hold', () => {
  expect(verdictOf([], { maxRotationAgeMs: day }).failing).toMatchObject([
    { check: 'credential', found: expect.stringContaining('no record') },
  ]);
});

test('a selection takes what matches all of it by the last declaration, and leaves out who was offboarded', () => {
  const other = (identity: string, more: Partial<ProcessRecord> = {}): ProcessRecord => record({ identity, ...more });
  const staging = { ...record().after, spec: { ...record().after.spec!, environment: 'staging', tags: {} } };
  const gone = record({ identity: 'old-db', kind: 'offboard', after: { spec: record().after.spec! } });
  const records = [other('a-db'), other('b-db', { after: staging }), gone].map(sealed);
  const names = (selection: Selection): string[] => attest(records, selection, {}, now).map(({ identity }) => identity);
  expect(names({ environment: 'production' })).toEqual(['a-db']);
  expect(names({ environment: 'staging' })).toEqual(['b-db']);
  expect(names({ owner: 'ada@example.com' })).toEqual(['a-db', 'b-db']);
  expect(names({ owner: 'ada@example.com', environment: 'staging' })).toEqual(['b-db']);
  expect(names({ tag: 'team:payments' })).toEqual(['a-db']);
  expect(names({ tag: 'constructor:payments' })).toEqual([]);
  expect(names({ owner: 'grace@example.com' })).toEqual([]);
  expect(names({ identities: ['old-db', 'old-db'] })).toEqual(['old-db']);
});

test('the attestation is an in-toto Statement about the records that it rests on, and nothing selected does not hold', () => {
  const limits = { maxRotationAgeMs: 30 * day };
  const records = [record({ after: { ...record().after, current: credential('nhi/payments-db/rotate/3') } })].map(
    sealed,
  );
  const attestation = attestationOf(attest(records, named, limits, now), named, limits, now);
  expect(parseStatement(canonicalJson(attestation))).toBeDefined();
  expect(attestation.subject).toEqual([
    { name: 'nhi/payments-db/rotate/3', digest: { sha256: records[0]!.digest.replace('sha256:', '') } },
  ]);
  expect(attestation.predicate).toMatchObject({ holds: true, at: now.toISOString(), limits, selection: named });
  expect(attestationOf([], named, limits, now).predicate.holds).toBe(false);
});
