/** What `plan` and `show` say of an identity. */
import { expect, test } from 'vitest';
import { tellPlan, type Plan } from '../../src/cli/manifests.js';
import { Output } from '../../src/cli/output.js';
import { tellRecent } from '../../src/cli/verbs/show.js';
import { diffManifests } from '../../src/manifest/diff.js';
import { identitySpec, identityState } from './support/states.js';
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
