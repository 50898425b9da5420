/** I6: the credential that goes is one that was permitted here; a process seals what was decided; numbers are taken in order. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CredentialRecord } from '../../src/domain/credential.js';
import type { Decision } from '../../src/domain/decision.js';
import type { ProcessInput } from '../../src/domain/process.js';
import { digestOf } from '../../src/policy/digest.js';
import { isAsDecided, type Decided } from '../../src/trust/decided.js';
import type { Declared } from '../../src/trust/declared.js';
import { demandMade } from '../../src/trust/made.js';
import { demandNumber, lastEpochPermitted, numbersIn } from '../../src/trust/numbers.js';
import type { Permit } from '../../src/trust/permits.js';
import { TenureError } from '../../src/domain/errors.js';
import { gateOf, voteOf } from '../support/gates.js';
import { specOf } from '../support/spec.js';

const spec = specOf('app');
const permitOf = (operation: string, differs: Partial<Permit> = {}): Permit =>
  ({
    operation,
    identity: 'app',
    kind: operation.split('/')[2],
    specs: [digestOf(spec)],
    at: '2030-01-01T00:00:00.000Z',
    ...differs,
  }) as Permit;
const credentialOf = (version: string, differs: Partial<CredentialRecord> = {}): CredentialRecord => ({
  version,
  target: 'db',
  principal: 'app_a',
  fingerprint: '0123456789abcdef',
  deliveries: [{ store: 'local', path: 'app' }],
  createdAt: '2030-01-01T00:00:00.000Z',
  ...differs,
});

describe('what goes', () => {
  const last = permitOf('nhi/app/rotate/5');
  const noted = [{ spec } as Declared];
  const permitted = [last, permitOf('nhi/app/rotate/4'), permitOf('nhi/app/rotate/6'), permitOf('nhi/app/validate/7')];
  const heldBy = (operation: string): Promise<Permit> => {
    const held = permitted.find((one) => one.operation === operation);
    return held ? Promise.resolve(held) : Promise.reject(new TenureError('ApprovalRefused', 'not permitted'));
  };
  const goes = (differs: Partial<ProcessInput>, onRecord = { noted, last } as Parameters<typeof demandMade>[1]) => {
    const request = { id: 'r-1', kind: 'rotate', requester: 'ada' } as const;
    const input = { kind: 'rotate', operation: 'nhi/app/rotate/8', epoch: 16, identity: 'app', request, spec } as const;
    return demandMade({ ...input, ...differs }, onRecord, { heldBy });
  };

  test.each<[string, Partial<ProcessInput>]>([
    ['what was carried out last', { current: credentialOf('nhi/app/rotate/5') }],
    ['what was permitted since and left in place', { current: credentialOf('nhi/app/rotate/6') }],
    ['nothing, where a first one is made', { kind: 'provision' }],
    ['nothing, where nothing is left to validate', { kind: 'validate' }],
    ['whatever an end finds', { kind: 'revoke', current: credentialOf('nhi/app/rotate/1') }],
    ['leftovers of this identity too', { kind: 'offboard', previous: [credentialOf('nhi/app/rotate/2')] }],
    [
      'anything, in an emergency',
      {
        kind: 'revoke',
        request: { id: 'r-1', kind: 'revoke', requester: 'ada', emergency: true },
        current: credentialOf('nhi/api/rotate/1'),
      },
    ],
  ])('is %s', async (_, differs) => {
    await expect(goes(differs)).resolves.toBeUndefined();
  });

  test('is as the workflow says where nothing was carried out that is known', async () => {
    await expect(goes({ current: credentialOf('nhi/app/rotate/1') }, { noted: [] })).resolves.toBeUndefined();
  });

  test('is where it was delivered to, where that is known', async () => {
    const elsewhere = { current: credentialOf('nhi/app/rotate/5', { target: 'db-2' }) };
    await expect(goes(elsewhere)).rejects.toThrow('not where it was delivered to');
    const moved = { current: credentialOf('nhi/app/rotate/5', { deliveries: [{ store: 'vault', path: 'app' }] }) };
    await expect(goes(moved)).rejects.toThrow('not where it was delivered to');
    await expect(goes(elsewhere, { noted: [], last })).resolves.toBeUndefined();
  });

  test.each<[string, Partial<ProcessInput>, string]>([
    ['one of another identity', { current: credentialOf('nhi/api/rotate/1') }, 'not one of app'],
    ['one of no process', { kind: 'revoke', previous: [credentialOf('mine')] }, 'not one of app'],
    ['one before the last', { current: credentialOf('nhi/app/rotate/4') }, 'not the one that app has'],
    ['one of what makes none', { current: credentialOf('nhi/app/validate/7') }, 'not the one that app has'],
    ['one that nobody permitted', { current: credentialOf('nhi/app/rotate/9') }, 'not the one that app has'],
    ['left out of a rotation', {}, 'is left out'],
    ['left out of an elevation', { kind: 'elevate' }, 'is left out'],
  ])('is not %s', async (_, differs, why) => {
    await expect(goes(differs)).rejects.toMatchObject({
      code: 'ApprovalRefused',
      message: expect.stringContaining(why),
    });
  });

  test('is not known where that cannot be looked at', async () => {
    const broken = { heldBy: () => Promise.reject(new TenureError('StoreUnavailable', 'gone')) };
    const request = { id: 'r-1', kind: 'rotate', requester: 'ada' } as const;
    const input = { kind: 'rotate', operation: 'nhi/app/rotate/8', epoch: 16, identity: 'app', request, spec } as const;
    const current = credentialOf('nhi/app/rotate/6');
    await expect(demandMade({ ...input, current }, { noted, last }, broken)).rejects.toMatchObject({
      code: 'StoreUnavailable',
    });
  });
});

describe('what a process tells of its decision', () => {
  const decision = { effect: 'allow', permitted: true, planDigest: 'd' } as Decision;
  const known: Decided[] = [{ decision, votes: [voteOf('grace')], round: 'round-1' }];
  const approved = gateOf({ votes: [voteOf('grace'), voteOf('rosa', { decision: 'deny' })] });
  const takenBack = { round: 'round-1', approver: 'grace', decision: 'withdraw', at: '2026-01-02' } as const;
  test.each<[string, Parameters<typeof isAsDecided>, boolean]>([
    ['is taken where nothing is known', [{ outcome: 'succeeded' }, [], { said: [] }], true],
    ['is as it was', [{ outcome: 'succeeded', decision, gate: approved }, known, { said: [] }], true],
    ['leaves nobody out', [{ outcome: 'succeeded', decision, gate: gateOf() }, known, { said: [] }], false],
    ['leaves nobody out, nor the gate', [{ outcome: 'succeeded', decision }, known, { said: [] }], false],
    ['may leave out who took it back', [{ outcome: 'succeeded', decision }, known, { said: [takenBack] }], true],
    [
      'needs no gate where there was none',
      [{ outcome: 'succeeded', decision }, [{ decision, votes: [] }], { said: [] }],
      true,
    ],
    [
      'is no other',
      [{ outcome: 'succeeded', decision: { ...decision, planDigest: 'x' }, gate: approved }, known, { said: [] }],
      false,
    ],
    ['is not left out of what succeeded', [{ outcome: 'succeeded' }, known, { said: [] }], false],
    ['may be left out of what came to nothing', [{ outcome: 'undone' }, known, { said: [] }], true],
  ])('%s', (_, told, holds) => {
    expect(isAsDecided(...told)).toBe(holds);
  });
});

describe('the number of a process', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-numbers-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is the highest, the same again, or one of those that follow', async () => {
    const numbers = numbersIn(folder);
    expect([await numbers.highest('app'), await lastEpochPermitted(numbers, 'app')]).toEqual([0, 0]);
    for (const number of [2, 10, 9]) await numbers.note(`nhi/app/rotate/${number}`);
    expect(await numbers.highest('app')).toBe(10);
    expect(await lastEpochPermitted(numbers, 'app')).toBeGreaterThan(20);
    for (const number of [10, 11, 1_000])
      await expect(demandNumber(`nhi/app/rotate/${number}`, numbers)).resolves.toBeUndefined();
    await expect(demandNumber('nhi/app/rotate/9', numbers)).rejects.toMatchObject({ code: 'Fenced' });
    await expect(demandNumber('nhi/app/rotate/9000000000', numbers)).rejects.toMatchObject({ code: 'ApprovalRefused' });
    await expect(demandNumber('nhi/api/rotate/1', numbers)).resolves.toBeUndefined();
  });
});
