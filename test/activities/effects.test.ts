/** I6: what a permit lets pass. The workflow that asks may be anybody's, and say whatever it likes. */
import { expect, test } from 'vitest';
import { demandPermit, noteBack } from '../../activities/effects.js';
import { elevatedSpec } from '../../src/domain/elevation.js';
import { TenureError } from '../../src/domain/errors.js';
import type { ProcessInput } from '../../src/domain/process.js';
import { digestOf } from '../../src/policy/digest.js';
import { boundBy } from '../../src/trust/binding.js';
import type { Lending, Loans } from '../../src/trust/lent.js';
import type { Permit, Permits } from '../../src/trust/permits.js';
import { specsOf } from '../../src/trust/specs.js';
import { specOf } from '../support/spec.js';

const now = new Date('2030-01-01T10:00:00.000Z');
const grants = (may: string) => ({ grants: [{ on: 'ledger', may: [may] }] });
const spec = specOf('app', { target: { name: 'db', scope: grants('select') } });
const specBefore = specOf('app', { target: { name: 'db', scope: grants('insert') } });
const elevation = { scope: grants('delete'), forMs: 60_000, incident: 'INC-1' };
const credential = (version: string) => ({
  version,
  target: 'db',
  principal: 'app_a',
  fingerprint: 'f',
  deliveries: spec.deliver,
  createdAt: now.toISOString(),
});
const from = credential('nhi/app/provision/1');
const previous = [credential('nhi/app/rotate/0')];

/** The permit of process number 2 of a kind, as authorize writes it. */
function permitOf(kind: ProcessInput['kind'], request: object = {}): Permit {
  const operation = `nhi/app/${kind}/2`;
  const lending = kind === 'elevate' ? { elevation } : {};
  const asked = { id: 'r-1', requester: 'ada@example.com', kind, ...lending, ...request };
  const input = { kind, operation, epoch: 4, identity: 'app', spec, specBefore, previous, current: from };
  return {
    v: 1,
    operation,
    run: 'run-1',
    identity: 'app',
    request: 'r-1',
    requester: 'ada@example.com',
    plan: 'sha256:plan',
    policy: 'sha256:policy',
    specs: specsOf({ ...input, request: asked }).map(digestOf),
    from: { principal: from.principal, version: from.version },
    ...boundBy({ ...input, request: asked }, now),
    advance: [],
    at: now.toISOString(),
  };
}

/** Notes of what was lent, kept nowhere. */
function loansFake(): Loans {
  const open = new Map<string, Lending>();
  return {
    begin: (lending) => Promise.resolve(void open.set(lending.operation, lending)),
    end: (_, operation) => Promise.resolve(void open.delete(operation)),
    open: () => Promise.resolve([...open.values()]),
  };
}

const refusing = (): Promise<never> => Promise.reject(new TenureError('ApprovalRefused', 'not permitted'));
const only = (permit: Permit): Permits => ({
  grant: () => Promise.resolve(),
  demand: (asked, run) => (asked === permit.operation && run === permit.run ? Promise.resolve(permit) : refusing()),
  unused: async () => [],
  heldBy: (asked) => (asked === permit.operation ? Promise.resolve(permit) : refusing()),
});

const changeOf = (permit: Permit, epoch = 4) => ({
  identity: 'app',
  operation: permit.operation,
  epoch,
  spec,
  specBefore,
  from,
  previous,
});
const toOf = (permit: Permit) => ({ ...from, version: permit.operation });

/** Asks for an effect behind a permit. */
function demand(
  permit: Permit,
  activityType: string,
  argument: unknown,
  { workflowId = permit.operation, runId = 'run-1', at = now, loans = loansFake() } = {},
): Promise<void> {
  return demandPermit(
    { permits: only(permit), loans },
    { activityType, workflowExecution: { workflowId, runId } },
    [argument],
    at,
  );
}
const refusal = { code: 'ApprovalRefused', message: expect.stringContaining('something else') };

const rotation = permitOf('rotate');
const change = changeOf(rotation);
const to = toOf(rotation);

test.each([
  ['stage', change],
  ['discard', { ...change, epoch: 5 }],
  ['install', { ...change, to }],
  ['uninstall', { ...change, epoch: 5, to }],
  ['publish', { ...change, to }],
  ['withdraw', { ...change, epoch: 5, to }],
  ['retire', { ...change, to, reach: 'these' }],
  ['purge', { ...change, to, reach: 'these' }],
  ['handOver', { ...change, version: rotation.operation, event: 'credential.published' }],
  ['handOver', { ...change, version: from.version, event: 'credential.withdrawn' }],
])('a rotation may %s what was decided on', async (activityType, argument) => {
  await expect(demand(rotation, activityType, argument)).resolves.toBeUndefined();
});

test.each([
  ['elevate', 'elevate', 4, { spec: elevatedSpec(spec, elevation) }],
  ['elevate', 'stage', 6, {}],
  ['elevate', 'withdraw', 7, {}],
  ['elevate', 'retire', 6, { reach: 'these' }],
  ['revoke', 'retire', 4, { reach: 'everything' }],
  ['revoke', 'handOver', 4, { event: 'credential.revoked', version: from.version }],
  ['offboard', 'remove', 4, {}],
] as const)('%s may %s with the fence %i', async (kind, activityType, epoch, more) => {
  const permit = permitOf(kind);
  await expect(demand(permit, activityType, { ...changeOf(permit, epoch), ...more })).resolves.toBeUndefined();
});

test('a validation that was asked to repair may, and one that was not may not', async () => {
  const repairing = permitOf('validate', { repair: true });
  await expect(demand(repairing, 'repair', changeOf(repairing))).resolves.toBeUndefined();
  const looking = permitOf('validate');
  await expect(demand(looking, 'repair', changeOf(looking))).rejects.toMatchObject(refusal);
});

test.each(['verify', 'inspect', 'refuse', 'drain', 'seal', 'notify', 'lastEpoch'])(
  '%s changes nothing and needs no permit',
  async (activityType) => {
    await expect(demand(rotation, activityType, change, { runId: 'a run of somebody' })).resolves.toBeUndefined();
  },
);

test.each([
  'stage',
  'discard',
  'install',
  'uninstall',
  'publish',
  'withdraw',
  'retire',
  'purge',
  'remove',
  'repair',
  'elevate',
  'handOver',
])('%s is refused to a run that nobody permitted', async (activityType) => {
  const asked = demand(rotation, activityType, change, { runId: 'a run of somebody' });
  await expect(asked).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test.each([
  ['install', 'another identity', { identity: 'api' }],
  ['install', 'another operation', { operation: 'nhi/app/rotate/3' }],
  ['install', 'other rights', { spec: elevatedSpec(spec, elevation) }],
  ['install', 'the fence of a later process', { epoch: 6 }],
  ['install', 'a fence far ahead, which would keep out even an emergency', { epoch: Number.MAX_SAFE_INTEGER }],
  ['install', 'no fence', { epoch: undefined }],
  ['install', 'the fence of its own undo', { epoch: 5 }],
  ['uninstall', 'the fence of the step that it undoes', { epoch: 4 }],
  ['install', 'another credential that goes', { from: credential('nhi/app/rotate/1') }],
  ['install', 'another target', { to: { ...to, target: 'db-2' } }],
  ['install', 'a credential of another process', { to: from }],
  ['install', 'a place of somebody else', { to: { ...to, deliveries: [{ store: 'vault', path: 'payments/db' }] } }],
  ['install', 'no candidate', { to: undefined }],
  ['uninstall', 'rights from before that nobody declared', { epoch: 5, specBefore: elevatedSpec(spec, elevation) }],
  ['uninstall', 'no rights from before', { epoch: 5, specBefore: undefined }],
  ['retire', 'the same credential at another target', { reach: 'these', from: { ...from, target: 'db-2' } }],
  ['retire', 'the login of somebody else', { reach: 'these', from: { ...from, principal: 'payments_a' } }],
  ['retire', 'what nobody was shown', { reach: 'these', previous: [{ ...from, principal: 'payments_a' }] }],
  ['purge', 'a place of somebody else', { reach: 'these', from: { ...from, deliveries: [] } }],
  ['retire', 'everything that the identity has', { reach: 'everything' }],
  ['purge', 'everything that the identity has', { reach: 'everything' }],
  ['remove', 'what a rotation never does', {}],
  ['repair', 'what a rotation never does', {}],
  ['elevate', 'what a rotation never does', {}],
  ['handOver', 'a version of another process', { event: 'credential.published', version: from.version }],
  ['handOver', 'a revocation', { event: 'credential.revoked', version: from.version }],
  ['handOver', 'no event', { version: rotation.operation }],
])('a permitted rotation that asks %s for %s is refused', async (activityType, _, differs) => {
  await expect(demand(rotation, activityType, { ...change, to, ...differs })).rejects.toMatchObject(refusal);
});

test.each([null, undefined, 'install', 7, {}])('a permitted run that says %j is refused', async (argument) => {
  await expect(demand(rotation, 'install', argument)).rejects.toMatchObject(refusal);
});

const lending = permitOf('elevate');
const lent = { ...changeOf(lending), spec: elevatedSpec(spec, elevation) };

test('rights are lent before their time is over, and not after it', async () => {
  await expect(demand(lending, 'elevate', lent, { at: new Date('2030-01-01T10:00:59Z') })).resolves.toBeUndefined();
  const late = demand(lending, 'elevate', lent, { at: new Date('2030-01-01T10:01:01Z') });
  await expect(late).rejects.toMatchObject({ code: 'Fenced', message: expect.stringContaining('not any more') });
});

test.each([
  ['the fence of the rotation that follows', { ...lent, epoch: 6 }],
  ['a fence far ahead', { ...lent, epoch: Number.MAX_SAFE_INTEGER }],
  ['other rights', { ...lent, spec: elevatedSpec(spec, { ...elevation, scope: grants('truncate') }) }],
])('lending with %s is refused', async (_, argument) => {
  await expect(demand(lending, 'elevate', argument)).rejects.toMatchObject(refusal);
});

const back = changeOf(lending, 5);
const guard = { runId: 'a run', workflowId: `${lending.operation}/review` };
const anybody = { runId: 'a run', workflowId: 'somebody' };
const afterwards = new Date('2030-01-01T10:01:01Z');

test('lent rights are taken back for the process, for a run of it that was reset, and for its guard, at any time', async () => {
  for (const who of [{}, { runId: 'a run that was reset' }, guard])
    await expect(demand(lending, 'restore', back, who)).resolves.toBeUndefined();
});

test('anybody may have them taken back once their time is over, and nobody else before', async () => {
  await expect(demand(lending, 'restore', back, anybody)).rejects.toMatchObject(refusal);
  await expect(demand(lending, 'restore', back, { ...anybody, at: afterwards })).resolves.toBeUndefined();
});

test('nothing is taken back of an operation that lends nothing', async () => {
  await expect(demand(rotation, 'restore', { ...change, epoch: 5 }, { at: afterwards })).rejects.toMatchObject(refusal);
});

test.each([
  ['an operation that nobody permitted', { ...back, operation: 'nhi/app/elevate/3' }],
  ['what is no operation', { ...back, operation: 'nhi/app' }],
  ['other rights', { ...back, spec: specBefore }],
  ['the lent rights', { ...back, spec: lent.spec }],
  ['the fence of a later process', { ...back, epoch: 9 }],
  ['the fence of the lending itself', { ...back, epoch: 4 }],
  ['another identity', { ...back, identity: 'api' }],
  ['another credential', { ...back, from: credential('nhi/app/rotate/1') }],
  ['the login of somebody else', { ...back, from: { ...from, principal: 'api_a' } }],
  ['another that was left', { ...back, previous: [] }],
  ['nothing', null],
])('taking back is refused for %s', async (_, argument) => {
  await expect(demand(lending, 'restore', argument, guard)).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test('until lent rights are back nothing else begins, except what takes everything down', async () => {
  const loans = loansFake();
  await demand(lending, 'elevate', lent, { loans });
  const waits = { code: 'TargetUnavailable', message: expect.stringContaining('not taken back yet') };
  await expect(demand(rotation, 'install', { ...change, to }, { loans })).rejects.toMatchObject(waits);
  await expect(demand(lending, 'stage', changeOf(lending, 6), { loans })).rejects.toMatchObject(waits);
  const revocation = permitOf('revoke');
  const ending = { ...changeOf(revocation), reach: 'everything' };
  await expect(demand(revocation, 'retire', ending, { loans })).resolves.toBeUndefined();
  await noteBack(loans, 'restore', [back]);
  await expect(demand(rotation, 'install', { ...change, to }, { loans })).resolves.toBeUndefined();
  await expect(demand(lending, 'stage', changeOf(lending, 6), { loans })).resolves.toBeUndefined();
});

test('with everything retired nothing is lent any more', async () => {
  const loans = loansFake();
  await demand(lending, 'elevate', lent, { loans });
  await noteBack(loans, 'retire', [{ ...change, reach: 'these' }]);
  expect(await loans.open()).toHaveLength(1);
  await noteBack(loans, 'retire', [{ ...change, reach: 'everything' }]);
  expect(await loans.open()).toEqual([]);
});

test('rights that were not permitted to be lent are not noted as lent', async () => {
  const loans = loansFake();
  await expect(demand(lending, 'elevate', back, { loans })).rejects.toMatchObject(refusal);
  expect(await loans.open()).toEqual([]);
});
