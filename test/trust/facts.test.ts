/** What is known about an identity when policy decides, from what was sealed about it. */
import { expect, test } from 'vitest';
import type { Drift } from '../../src/domain/credential.js';
import { TenureError } from '../../src/domain/errors.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { planOf } from '../../src/domain/plan.js';
import type { ProcessInput } from '../../src/domain/process.js';
import { collectFacts, grantedIn, type FactSources } from '../../src/trust/facts.js';
import { specOf } from '../support/spec.js';

const now = new Date('2030-01-01T10:00:00.000Z');

function inputOf(number: number, scope: Record<string, unknown>): ProcessInput {
  const spec = specOf('app', { target: { name: 'db', scope } });
  const request = { id: `r-${number}`, kind: 'rotate', requester: 'ada' } as const;
  return { kind: 'rotate', operation: `nhi/app/rotate/${number}`, epoch: 2 * number, identity: 'app', request, spec };
}

const recordOf = (input: ProcessInput, differs: Partial<ProcessRecord> = {}): ProcessRecord =>
  ({
    operation: input.operation,
    outcome: 'succeeded',
    endedAt: now.toISOString(),
    plan: planOf(input),
    permit: 'sha256:permit',
    ...differs,
  }) as ProcessRecord;

test('the last approved plan is that of a run which was permitted: anybody’s workflow can ask for a seal', async () => {
  const few = inputOf(1, { grants: [{ on: 'ledger', may: ['select'] }] });
  const many = inputOf(2, { grants: [{ on: 'ledger', may: ['select', 'delete'] }] });
  const { permit: _permit, ...unpermitted } = recordOf(many);
  const sources = {
    recordsOf: async () => [recordOf(few), unpermitted],
    inspect: async () => [],
    liftedRules: async () => [],
  };
  const { growth, lastApproved } = await collectFacts(sources, many, planOf(many), false, now);
  expect(lastApproved?.operation).toBe(few.operation);
  expect(growth).toHaveLength(1);
});

test('unused is what was granted on record, whatever the workflow says, and only for a gate; what cannot be read is not unused', async () => {
  const few = inputOf(1, { grants: [{ on: 'ledger', may: ['select'] }] });
  const many = inputOf(2, { grants: [{ on: 'ledger', may: ['select', 'delete'] }] });
  const asked: unknown[] = [];
  const sources = {
    recordsOf: async () => [{ ...recordOf(few), identity: 'app' }],
    inspect: async () => [],
    liftedRules: async () => [],
    unusedRights: async (granted: unknown) => {
      asked.push(granted);
      return ['select on table ledger', 'delete on table a'];
    },
  };
  const unused = async (isGated: boolean, differs = {}) =>
    (await collectFacts({ ...sources, ...differs }, many, planOf(many), isGated, now)).unused;
  expect(await unused(false)).toEqual([]);
  expect(asked).toEqual([]);
  expect(await unused(true)).toEqual(['delete on table a', 'select on table ledger']);
  expect(asked).toEqual([
    { identity: 'app', operation: few.operation, target: 'db', scope: { grants: [{ on: 'ledger', may: ['select'] }] } },
  ]);
  expect(await unused(true, { unusedRights: () => Promise.reject(new Error('gone')) })).toEqual([]);
  expect(await unused(true, { recordsOf: async () => [] })).toEqual([]);
});

test('what differs is looked at for a gate alone, told in one order; a target that cannot be read is told, and says no more', async () => {
  const input = { ...inputOf(2, {}), current: { version: 'nhi/app/provision/1' } as ProcessInput['current'] & {} };
  const sources = { recordsOf: async () => [], liftedRules: async () => ['b', 'a'], inspect: async () => [] };
  const there = async (inspect: FactSources['inspect'], isGated = true) => {
    return (await collectFacts({ ...sources, inspect }, input, planOf(input), isGated, now)).there;
  };
  const drifts = async () => ['it may delete', 'a role more'].map((detail) => ({ detail }) as Drift);
  expect(await there(drifts)).toEqual(['a role more', 'it may delete']);
  expect(await there(drifts, false)).toEqual([]);
  expect(await there(() => Promise.reject(new TenureError('TargetUnavailable', 'db-7 is away')))).toEqual([
    'it could not be read (TargetUnavailable)',
  ]);
  expect(await there(() => Promise.reject(new Error('password=x')))).toEqual(['it could not be read (OutcomeUnknown)']);
  const { exceptions, unused } = await collectFacts(sources, input, planOf(input), true, now);
  expect([exceptions, unused]).toEqual([['a', 'b'], []]);
});

test('what ends an identity grows nothing; what nobody watches is not unused', async () => {
  const few = inputOf(1, { grants: [{ on: 'ledger', may: ['select'] }] });
  const end: ProcessInput = { ...few, kind: 'revoke', operation: 'nhi/app/revoke/2' };
  const sources = { recordsOf: async () => [recordOf(few)], liftedRules: async () => [], inspect: async () => [] };
  expect(await collectFacts(sources, end, planOf(end), true, now)).toMatchObject({ growth: [], unused: [] });
});

test('what was granted last is what the last approved plan granted; of nothing, nothing', () => {
  const few = inputOf(1, { grants: [{ on: 'ledger', may: ['select'] }] });
  expect(grantedIn([])).toBeUndefined();
  expect(grantedIn([recordOf(few, { outcome: 'undone' })])).toBeUndefined();
  expect(grantedIn([{ ...recordOf(few), identity: 'app' }])).toMatchObject({ identity: 'app', target: 'db' });
});
