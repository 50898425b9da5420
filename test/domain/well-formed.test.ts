/** What is sent is looked at field by field: the first that is not as expected is named, with what was expected. */
import { describe, expect, test } from 'vitest';
import type { IdentitySpec } from '../../src/domain/identity.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { whatIsMalformed } from '../../src/domain/well-formed.js';
import { specOf } from '../support/spec.js';

const asks: ChangeRequest = { id: 'r-1', kind: 'provision', requester: 'ada', spec: specOf('app') };
const lends: ChangeRequest = {
  id: 'r-1',
  kind: 'elevate',
  requester: 'ada',
  reason: 'a wrong booking',
  elevation: { scope: { may: ['delete'] }, forMs: 60_000, incident: 'INC-1' },
};

/** The field of which something else was expected. */
function fieldIn(request: unknown): string | undefined {
  return whatIsMalformed(request as ChangeRequest)?.split(':')[0];
}
const withSpec = (differs: object): unknown => ({ ...asks, spec: { ...asks.spec, ...differs } });
const withRotation = (differs: object): unknown => withSpec({ rotation: { ...asks.spec!.rotation, ...differs } });

test('what is whole has nothing wrong with it', () => {
  for (const request of [asks, lends, { ...asks, kind: 'rotate', spec: undefined }])
    expect(whatIsMalformed(request as ChangeRequest)).toBeUndefined();
});

test.each<[string, unknown, string]>([
  ['no object', 'revoke everything', 'request'],
  ['nothing', null, 'request'],
  ['an empty id', { ...asks, id: '' }, 'id'],
  ['an id with a bell', { ...asks, id: 'a\u0007b' }, 'id'],
  ['a kind that there is not', { ...asks, kind: 'destroy' }, 'kind'],
  ['no requester', { ...asks, requester: undefined }, 'requester'],
  ['a reason that is no text', { ...asks, reason: 7 }, 'reason'],
  ['a flag that is no flag', { ...asks, repair: 'yes' }, 'repair'],
  [
    'more than fits',
    { ...asks, requester: 'ada', spec: specOf('app', { tags: { a: 'x'.repeat(40_000) } }) },
    'request',
  ],
  ['an identity that is none', { ...asks, spec: 'app' }, 'spec'],
  ['an emergency that is no revocation', { ...asks, emergency: true }, 'emergency'],
  ['a repair that is no validation', { ...asks, repair: true }, 'repair'],
  ['a signature that is missing', { ...asks, signed: { statement: '{}' } }, 'signed'],
  ['a statement that is no text', { ...asks, signed: { statement: {}, signature: 's' } }, 'signed'],
  ['eleven approvals in advance', { ...asks, advance: Array(11).fill({ statement: 's', signature: 's' }) }, 'advance'],
  ['an approval in advance that is not signed', { ...asks, advance: [{ statement: 's' }] }, 'advance'],
  ['something lent with another kind', { ...asks, elevation: lends.elevation }, 'elevation'],
  ['an elevation that lends nothing', { ...lends, elevation: undefined }, 'elevation'],
  ['a scope that is none', { ...lends, elevation: { ...lends.elevation, scope: 'all' } }, 'elevation'],
  ['half a second', { ...lends, elevation: { ...lends.elevation, forMs: 500 } }, 'elevation.forMs'],
  ['a day', { ...lends, elevation: { ...lends.elevation, forMs: 86_400_000 } }, 'elevation.forMs'],
  ['part of a millisecond', { ...lends, elevation: { ...lends.elevation, forMs: 1_000.5 } }, 'elevation.forMs'],
  ['no incident', { ...lends, elevation: { ...lends.elevation, incident: '' } }, 'elevation.incident'],
  ['an elevation without a reason', { ...lends, reason: undefined }, 'reason'],
  ['an elevation with a blank reason', { ...lends, reason: ' ' }, 'reason'],
  ['an elevation that declares something', { ...lends, spec: specOf('app') }, 'spec'],
])('%s is named', (_, request, field) => {
  expect(fieldIn(request)).toBe(field);
});

test.each<[string, Partial<Record<keyof IdentitySpec, unknown>>, string]>([
  ['a kind that there is not', { kind: 'human' }, 'spec.kind'],
  ['nobody who owns it', { owner: {} }, 'spec.owner'],
  ['a team that is no name', { owner: { person: 'ada', team: '' } }, 'spec.owner'],
  ['no purpose', { purpose: undefined }, 'spec.purpose'],
  ['an environment that is no name', { environment: '' }, 'spec.environment'],
  ['data of no known class', { dataClass: 'secret' }, 'spec.dataClass'],
  ['a target without a scope', { target: { name: 'db' } }, 'spec.target'],
  ['nowhere to deliver it', { deliver: [] }, 'spec.deliver'],
  ['a store without a path', { deliver: [{ store: 'local' }] }, 'spec.deliver'],
  [
    'too many texts as tags',
    { tags: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`t${n}`, 'x'])) },
    'spec.tags',
  ],
  ['no rotation', { rotation: undefined }, 'spec.rotation'],
])('of a declared identity, %s is named', (_, differs, field) => {
  expect(fieldIn(withSpec(differs))).toBe(field);
});

test.each<[string, object, string]>([
  ['a strategy that there is not', { strategy: 'hope' }, 'spec.rotation.strategy'],
  ['more than ten years', { everyMs: 1e15 }, 'spec.rotation.everyMs'],
  ['a calendar without a time zone', { cron: { expression: '0 3 * * *' } }, 'spec.rotation.cron'],
  ['a calendar without a time', { cron: { timezone: 'UTC' } }, 'spec.rotation.cron'],
  ['a window that is no text', { window: [] }, 'spec.rotation.window'],
  ['a negative grace', { graceMs: -1 }, 'spec.rotation.graceMs'],
  ['what to do when it is in use', { whenInUse: 'panic' }, 'spec.rotation.whenInUse'],
  ['what to do without a window', { whenNoWindow: 'panic' }, 'spec.rotation.whenNoWindow'],
  ['what to do when nobody takes it', { whenNotTaken: 'panic' }, 'spec.rotation.whenNotTaken'],
  [
    'a freeze that ends never',
    { freeze: [{ from: '2030-01-01T00:00:00.000Z', to: 'never', reason: '' }] },
    'spec.rotation.freeze',
  ],
  [
    'a freeze that begins some time',
    { freeze: [{ from: 'soon', to: '2030-01-01T00:00:00.000Z', reason: '' }] },
    'spec.rotation.freeze',
  ],
  [
    'a freeze for no reason',
    { freeze: [{ from: '2030-01-01T00:00:00.000Z', to: '2030-01-02T00:00:00.000Z' }] },
    'spec.rotation.freeze',
  ],
])('of how it is rotated, %s is named', (_, differs, field) => {
  expect(fieldIn(withRotation(differs))).toBe(field);
});

describe('a consumer', () => {
  const told = (notify: unknown, differs: object = {}): unknown =>
    withSpec({ consumers: [{ name: 'api', notify, ...differs }] });

  test.each<[string, unknown]>([
    ['a webhook', { webhook: 'https://api.example' }],
    ['a command', { command: ['reload'] }],
    ['a file', { file: { path: '/run/app', format: 'dotenv' } }],
    ['a person', { ack: 'manual' }],
  ])('is told by %s', (_, notify) => {
    expect(fieldIn(told(notify))).toBeUndefined();
    expect(fieldIn(told(notify, { after: ['other'], timeoutMs: 1_000 }))).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['by nothing', {}],
    ['in two ways', { ack: 'manual', webhook: 'https://api.example' }],
    ['in no known way', { pigeon: 'grey' }],
    ['by an address that is none', { webhook: 7 }],
    ['by a command that is one text', { command: 'rm -rf' }],
    ['by a command of which a word is none', { command: ['rm', 7] }],
    ['by a file that is none', { file: '/run/app' }],
    ['by a file without a path', { file: { format: 'dotenv' } }],
    ['by a file of no format', { file: { path: '/run/app', format: '' } }],
    ['by itself', { ack: 'automatic' }],
  ])('is not told %s', (_, notify) => {
    expect(fieldIn(told(notify))).toBe('spec.consumers');
  });

  test.each<[string, object]>([
    ['a name', { name: '' }],
    ['a list of those before it', { after: 'other' }],
    ['a time', { timeoutMs: -5 }],
  ])('has %s', (_, differs) => {
    expect(fieldIn(told({ ack: 'manual' }, differs))).toBe('spec.consumers');
  });
});
