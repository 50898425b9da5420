import { expect, test } from 'vitest';
import { demandPermit } from '../../activities/effects.js';
import { TenureError } from '../../src/domain/errors.js';
import { digestOf } from '../../src/policy/digest.js';
import type { Permit, Permits } from '../../src/trust/permits.js';
import { specOf } from '../support/spec.js';

const spec = specOf('app');
const operation = 'nhi/app/rotate/2';
const permit = {
  operation,
  run: 'run-1',
  identity: 'app',
  specs: [digestOf(spec)],
  from: { principal: 'app_a', version: 'v1' },
} as unknown as Permit;

const permits: Permits = {
  grant: () => Promise.resolve(),
  demand: (asked, run) =>
    asked === operation && run === 'run-1'
      ? Promise.resolve(permit)
      : Promise.reject(new TenureError('ApprovalRefused', 'not permitted')),
  heldBy: (asked) =>
    asked === operation ? Promise.resolve(permit) : Promise.reject(new TenureError('ApprovalRefused', 'not permitted')),
};

const change = { identity: 'app', operation, epoch: 4, spec, from: { version: 'v1' } };
const demand = (activityType: string, argument: unknown = change, runId = 'run-1', workflowId = operation) =>
  demandPermit(permits, { activityType, workflowExecution: { workflowId, runId } }, [argument]);

test('what was permitted passes', async () => {
  await expect(demand('install')).resolves.toBeUndefined();
  await expect(demand('handOver', { ...change, from: undefined })).resolves.toBeUndefined();
  await expect(demand('uninstall', { ...change, epoch: 5 })).resolves.toBeUndefined();
});

test.each(['verify', 'inspect', 'refuse', 'drain', 'seal', 'notify', 'lastEpoch'])(
  '%s changes nothing and needs no permit',
  async (activityType) => {
    await expect(demand(activityType, change, 'a run of somebody')).resolves.toBeUndefined();
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
  await expect(demand(activityType, change, 'a run of somebody')).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test.each([
  ['another identity', { ...change, identity: 'api' }],
  ['another operation', { ...change, operation: 'nhi/app/rotate/3' }],
  ['other rights', { ...change, spec: { ...spec, target: { ...spec.target, scope: { grants: ['everything'] } } } }],
  ['the fence of a later process', { ...change, epoch: 6 }],
  ['a fence far ahead, which would keep out even an emergency', { ...change, epoch: 1_000_000 }],
  ['no fence', { ...change, epoch: undefined }],
  ['another credential that goes', { ...change, from: { version: 'v2' } }],
  ['nothing', null],
  ['something that is no change', 'install'],
])('a permitted run that asks for %s is refused', async (_, argument) => {
  await expect(demand('install', argument)).rejects.toMatchObject({
    code: 'ApprovalRefused',
    message: expect.stringContaining('something else'),
  });
});

const back = { ...change, epoch: 5, from: { principal: 'app_a', version: 'v1' } };

test('lent rights are taken back for any run of any workflow, towards what was declared when they were lent', async () => {
  await expect(demand('restore', back, 'a run that was reset')).resolves.toBeUndefined();
  await expect(demand('restore', back, 'the guard', `${operation}/review`)).resolves.toBeUndefined();
});

test.each([
  ['an operation that nobody permitted', { ...back, operation: 'nhi/app/rotate/3' }],
  ['what is no operation', { ...back, operation: 'nhi/app' }],
  ['other rights', { ...back, spec: { ...spec, target: { ...spec.target, scope: { grants: ['everything'] } } } }],
  ['the fence of a later process', { ...back, epoch: 7 }],
  ['the fence of the lending itself', { ...back, epoch: 4 }],
  ['another identity', { ...back, identity: 'api' }],
  ['another credential', { ...back, from: { principal: 'app_a', version: 'v2' } }],
  ['the login of somebody else', { ...back, from: { principal: 'api_a', version: 'v1' } }],
  ['nothing', null],
])('taking back is refused for %s', async (_, argument) => {
  await expect(demand('restore', argument)).rejects.toMatchObject({ code: 'ApprovalRefused' });
});
