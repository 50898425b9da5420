/** What `plan` and `show` say of an identity. */
import { expect, test } from 'vitest';
import { tellPlan, type Plan } from '../../src/cli/manifests.js';
import { tellEnd } from '../../src/cli/outcome.js';
import { Output } from '../../src/cli/output.js';
import { tellRecent } from '../../src/cli/verbs/show.js';
import { diffManifests } from '../../src/manifest/diff.js';
import { identitySpec, identityState, processState } from './support/states.js';
import { pretend } from './support/terminal.js';

test('a plan says of a new identity what it may do and how it is rotated', () => {
  const spec = identitySpec({ consumers: [{ name: 'payments-api', notify: { ack: 'manual' } }] });
  const { io, stdout } = pretend();
  const diff = diffManifests([spec], new Map());
  const schedules = { create: [], update: [], unchanged: [], vanished: [] };
  tellPlan(new Output(io, false), { diff, schedules } as unknown as Plan, false);
  expect(stdout()).toContain('    rights at ledger-db: {"grants":[]}\n');
  expect(stdout()).toContain('    rotation: alternate, every 30d, grace 1h\n');
  expect(stdout()).toContain('    consumers: payments-api\n');
});

test('what ended without a code is told without one', () => {
  const at = '2026-03-01T00:00:00.000Z';
  const ended = { kind: 'rotate', requestId: 'r', startedAt: at, endedAt: at } as const;
  const { io, stdout } = pretend();
  const recent = [
    { ...ended, outcome: 'succeeded' },
    { ...ended, outcome: 'pre-empted', message: 'pre-empted by an emergency' },
    { ...ended, outcome: 'undone', code: 'VerificationFailed', message: 'it was refused' },
  ] as const;
  tellRecent(new Output(io, false), identityState({ recent: [...recent] }), undefined);
  expect(stdout()).not.toContain('undefined');
  expect(stdout()).toMatch(
    /rotate {2}undone: VerificationFailed it was refused\n.*pre-empted: pre-empted by an emergency\n.*succeeded\n/,
  );
});

test.each([
  ['revoke', true, 'what it was to end is still accepted', 'nobody takes it back by itself'],
  ['rotate', false, 'everything is as before', undefined],
] as const)('a %s that came to nothing is told as what it left', (kind, emergency, told, left) => {
  const at = '2026-03-01T00:00:00.000Z';
  const failure = { code: 'PolicyDenied', message: 'not any more' } as const;
  const operation = `nhi/app/${kind}/3`;
  const result = {
    kind,
    operation,
    outcome: 'undone',
    startedAt: at,
    endedAt: at,
    after: {},
    proofs: {},
    failure,
    leftovers: [],
  } as const;
  const { io, stderr } = pretend();
  const state = { ...processState(kind, {}), emergency };
  expect(tellEnd(new Output(io, false), 'app', { how: 'ended', operation, result, state })).toBe(1);
  expect(stderr()).toContain(told);
  expect(stderr().includes('everything is as before')).toBe(!emergency);
  if (left === undefined) return expect(stderr()).not.toContain('was stopped');
  expect(stderr()).toContain(left);
  expect(stderr()).toContain('next: tenure revoke app --now\n  next: tenure validate app');
});
