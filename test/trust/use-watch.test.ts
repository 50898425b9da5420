/** The file in which the watch remembers, over real files and a target that is told what to say. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { useWatch } from '../../src/trust/use-watch.js';
import { watchingUse } from '../../activities/credentials/watch.js';
import type { RecordedUse, Target } from '../../src/targets/target.js';

const dayMs = 86_400_000;
const scope = { grants: [{ on: 'ledger', may: ['select', 'delete'] }] };
const granted = { identity: 'app', operation: 'nhi/app/provision/1', target: 'db', scope };
const of = (select: number, remove: number): RecordedUse => ({
  known: true,
  history: 'h',
  total: select + remove,
  rights: [
    { right: { grants: [{ on: 'ledger', may: ['select'] }] }, calls: select, isInUse: false },
    { right: { grants: [{ on: 'ledger', may: ['delete'] }] }, calls: remove, isInUse: false },
  ],
});

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'tenure-use-'))));
afterEach(() => rm(folder, { recursive: true }));

/** Looks on a day, by a worker that was just started. */
function lookOn(day: number, answer: RecordedUse | Error | undefined) {
  const recordedUse = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
  const target = { ...(answer && { recordedUse }) } as unknown as Target;
  const now = () => new Date(day * dayMs);
  return useWatch({ folder: join(folder, 'use'), target: () => target, afterMs: 30 * dayMs, now }).look(granted);
}

test('what is remembered outlives the worker, and is told in the words of rights', async () => {
  expect(await lookOn(0, of(5, 0))).toEqual({ known: true, unused: [] });
  const unused = [{ right: 'delete on table ledger', since: new Date(0).toISOString() }];
  expect(await lookOn(30, of(6, 0))).toEqual({ known: true, unused });
  expect(await lookOn(31, of(6, 1))).toEqual({ known: true, unused: [] });
  expect(await readdir(join(folder, 'use'))).toHaveLength(1);
});

test('a look that finds use unknown ends the watch: it begins anew with the next', async () => {
  await lookOn(0, of(0, 0));
  expect(await lookOn(20, { known: false, why: 'it is switched off' })).toEqual({
    known: false,
    why: 'it is switched off',
  });
  expect(await lookOn(40, of(0, 0))).toEqual({ known: true, unused: [] });
});

test('a target that is not reached ends nothing: what it counted is still there', async () => {
  await lookOn(0, of(0, 0));
  await expect(lookOn(20, new Error('gone'))).rejects.toThrow('gone');
  expect(await lookOn(40, of(0, 0))).toMatchObject({ unused: [{}, {}] });
});

test('a file that cannot be understood is none', async () => {
  await lookOn(0, of(0, 0));
  const [name] = await readdir(join(folder, 'use'));
  await writeFile(join(folder, 'use', name!), '{"v":1,"rig');
  expect(await lookOn(40, of(0, 0))).toEqual({ known: true, unused: [] });
});

test('a target that records no use has no file, and no part in a proof', async () => {
  expect(await lookOn(0, undefined)).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});

test('the proof of an accepted credential tells of use, of what is on record; it holds also where that cannot be read', async () => {
  const proof = { principal: 'app_a' };
  const records = [{ ...granted, outcome: 'succeeded', permit: 'p', plan: { to: { target: 'db', scope } } }];
  const verify = (day: number, answer: RecordedUse | Error | undefined, recordsOf = async () => records) => {
    const watch = { look: () => lookOn(day, answer) };
    const activities = watchingUse({ verify: async () => proof } as never, watch, recordsOf as never);
    return activities.verify({ identity: 'app' } as never);
  };
  expect(await verify(0, of(0, 0))).toEqual({ ...proof, use: { known: true, unused: [] } });
  expect(await verify(30, of(1, 0))).toMatchObject({ use: { unused: [{ right: 'delete on table ledger' }] } });
  expect(await verify(31, undefined)).toEqual(proof);
  expect(await verify(31, of(1, 0), async () => [])).toEqual(proof);
  const why = 'it could not be read (OutcomeUnknown)';
  expect(await verify(31, new Error('postgresql://secret'))).toEqual({ ...proof, use: { known: false, why } });
});
