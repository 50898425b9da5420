/** What every store has to do, whatever it is made of. A connector's test calls this with the real system behind it. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Fence } from '../../src/domain/credential.js';
import { TenureError, type ErrorCode } from '../../src/domain/errors.js';
import type { Material, Store } from '../../src/stores/store.js';
import { describeUnless } from '../support/machine.js';

export interface StoreUnderTest {
  readonly store: Store;
  /** Another handle on the same data, as a second worker has it. */
  readonly again: Store;
  close(): Promise<void>;
}

export interface StoreConformance {
  readonly name: string;
  /** Says why the suite cannot run here; it is then listed as skipped. */
  readonly unable?: string;
  setUp(): Promise<StoreUnderTest>;
}

export function conformanceStore({ name, unable, setUp }: StoreConformance): void {
  describeUnless(unable, `the store ${name}`, () => {
    let rig: StoreUnderTest;
    let store: Store;
    let path: string;
    let count = 0;
    beforeAll(async () => {
      rig = await setUp();
      store = rig.store;
    });
    afterAll(async () => rig?.close());
    beforeEach(() => {
      path = `conformance/${process.pid}-${(count += 1)}`;
    });

    /** A published credential of operation 1, as most processes find it. */
    async function withCurrent(): Promise<void> {
      await store.stage(path, first, () => Promise.resolve(material('one')));
      await store.publish(path, first);
    }

    it('says that an absent path has epoch 0 and no slots', async () => {
      expect(await store.describe(path)).toEqual({ epoch: 0, slots: {} });
    });

    it('keeps a candidate in next, for every handle to read', async () => {
      const record = await store.stage(path, first, () => Promise.resolve(material('one')));
      expect(record).toEqual({
        version: first.operation,
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      });
      const read = await rig.again.read(path, { slot: 'next' });
      expect(read).toEqual({ record, slot: 'next', material: material('one') });
      expect(await rig.again.describe(path)).toEqual({ epoch: first.epoch, slots: { next: record } });
    });

    it('I3: keeps the credential of one identity from every operation of another', async () => {
      await withCurrent();
      const before = await store.describe(path);
      const other: Fence = { operation: 'nhi/y/provision/9', epoch: 18 };
      const make = () => Promise.resolve(material('theirs'));
      for (const act of [
        () => store.stage(path, other, make),
        () => store.publish(path, other),
        () => store.withdraw(path, other),
        () => store.discard(path, other),
        () => store.purge(path, other, [first.operation]),
        () => store.clear(path, other),
        () => store.raise(path, other),
      ])
        await expectCode('Conflict', act());
      expect(await store.describe(path)).toEqual(before);
    });

    it('gives a path that was cleared to another identity', async () => {
      await withCurrent();
      await store.clear(path, second);
      const other: Fence = { operation: 'nhi/y/provision/9', epoch: 18 };
      expect(await store.stage(path, other, () => Promise.resolve(material('theirs')))).toMatchObject({
        version: other.operation,
      });
    });

    it('gives material back to the last character', async () => {
      const awkward = { password: 'a"b\'c\\d\n\té😀 \u0000${x}`y`', empty: '', url: 'x://u:p%40@h/d?a=b&c=d#e' };
      await store.stage(path, first, () => Promise.resolve(awkward));
      expect((await rig.again.read(path, { version: first.operation })).material).toEqual(awkward);
    });

    it('gives a retry the same candidate and does not make another', async () => {
      const before = await store.stage(path, first, () => Promise.resolve(material('one')));
      const after = await rig.again.stage(path, first, () => Promise.reject(new Error('made twice')));
      expect(after).toEqual(before);
      expect((await store.read(path, { slot: 'next' })).material).toEqual(material('one'));
    });

    it('gives the published credential to a retry of stage that comes late', async () => {
      await withCurrent();
      const late = await store.stage(path, first, () => Promise.reject(new Error('made twice')));
      expect(late.version).toBe(first.operation);
      expect(Object.keys((await store.describe(path)).slots)).toEqual(['current']);
    });

    it('settles on one candidate when two attempts stage at the same time', async () => {
      const attempts = [store, rig.again, store, rig.again].map((handle, index) =>
        handle.stage(path, first, () => Promise.resolve(material(`attempt ${index}`))),
      );
      const records = await Promise.all(attempts);
      expect(new Set(records.map(({ fingerprint }) => fingerprint)).size).toBe(1);
      expect((await store.read(path, { slot: 'next' })).record).toEqual(records[0]);
    });

    it('keeps nothing when making the material fails', async () => {
      await expect(store.stage(path, first, () => Promise.reject(new Error('no entropy')))).rejects.toThrow(
        'no entropy',
      );
      expect((await store.describe(path)).slots).toEqual({});
    });

    it('replaces the candidate of an older operation', async () => {
      await store.stage(path, first, () => Promise.resolve(material('one')));
      await store.stage(path, second, () => Promise.resolve(material('two')));
      expect((await store.read(path, { slot: 'next' })).material).toEqual(material('two'));
      await expectCode('Conflict', store.read(path, { version: first.operation }));
    });

    it('refuses material that it has held before, also when that was discarded or published', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      await store.discard(path, second);
      for (const used of ['one', 'two']) {
        await expectCode(
          'Conflict',
          store.stage(path, third, () => Promise.resolve(material(used))),
        );
      }
      expect((await store.describe(path)).slots.next).toBeUndefined();
    });

    it('takes the order of keys in material for nothing', async () => {
      await store.stage(path, first, () => Promise.resolve({ a: '1', b: '2' }));
      await expectCode(
        'Conflict',
        store.stage(path, second, () => Promise.resolve({ b: '2', a: '1' })),
      );
    });

    it('publishes: next becomes current, current becomes previous', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      const { epoch, slots } = await store.publish(path, second);
      expect(epoch).toBe(second.epoch);
      expect(versions(slots)).toEqual({ current: second.operation, previous: first.operation });
      expect((await rig.again.read(path, { slot: 'current' })).material).toEqual(material('two'));
      expect((await rig.again.read(path, { slot: 'previous' })).material).toEqual(material('one'));
    });

    it('publishes once, however often it is told', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      const once = await store.publish(path, second);
      expect(await rig.again.publish(path, second)).toEqual(once);
    });

    it('refuses to publish what is not in next and names what is', async () => {
      await expectCode('Conflict', store.publish(path, first));
      await store.stage(path, first, () => Promise.resolve(material('one')));
      const error = await expectCode('Conflict', store.publish(path, second));
      expect(error.message).toContain(first.operation);
      expect(versions((await store.describe(path)).slots)).toEqual({ next: first.operation });
    });

    it('withdraws: the way back from publish, and nothing when done again or never published', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      expect(versions((await store.withdraw(path, second)).slots)).toEqual({
        next: second.operation,
        current: first.operation,
      });
      await store.publish(path, second);
      for (let times = 0; times < 2; times += 1) {
        expect(versions((await store.withdraw(path, second)).slots)).toEqual({
          next: second.operation,
          current: first.operation,
        });
      }
      expect((await store.read(path, { slot: 'current' })).material).toEqual(material('one'));
    });

    it('withdraws a first credential and leaves current empty', async () => {
      await withCurrent();
      expect(versions((await store.withdraw(path, first)).slots)).toEqual({ next: first.operation });
    });

    it('discards only the candidate of the operation that asks', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      expect(versions((await store.discard(path, third)).slots)).toEqual({
        next: second.operation,
        current: first.operation,
      });
    });

    it('discards a candidate for good, and an absent one without complaint', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      for (let times = 0; times < 2; times += 1) {
        expect(versions((await store.discard(path, second)).slots)).toEqual({ current: first.operation });
      }
      await expectCode('Conflict', store.read(path, { version: second.operation }));
    });

    it('purges versions in whatever slot they are and leaves the others', async () => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      await store.publish(path, second);
      for (let times = 0; times < 2; times += 1) {
        const { slots } = await store.purge(path, second, [first.operation, 'never existed']);
        expect(versions(slots)).toEqual({ current: second.operation });
      }
      await expectCode('Conflict', store.read(path, { slot: 'previous' }));
      expect((await store.read(path, { slot: 'current' })).material).toEqual(material('two'));
    });

    it('clears all material and goes on fencing', async () => {
      await withCurrent();
      expect(await store.clear(path, second)).toEqual({ epoch: second.epoch, slots: {} });
      await expectCode('Conflict', store.read(path, { slot: 'current' }));
      await expectCode(
        'Fenced',
        store.stage(path, first, () => Promise.resolve(material('late'))),
      );
    });

    it('names what is there when a slot or version is not', async () => {
      await withCurrent();
      for (const which of [{ slot: 'previous' }, { version: 'nhi/x/rotate/9' }] as const) {
        const error = await expectCode('Conflict', store.read(path, which));
        expect(error.message).toContain(first.operation);
      }
      await expectCode('Conflict', store.read(`${path}-absent`, { slot: 'current' }));
    });

    it.each<[string, (fence: Fence) => Promise<unknown>]>([
      ['stage', (fence) => store.stage(path, fence, () => Promise.resolve(material('late')))],
      ['publish', (fence) => store.publish(path, fence)],
      ['withdraw', (fence) => store.withdraw(path, fence)],
      ['discard', (fence) => store.discard(path, fence)],
      ['purge', (fence) => store.purge(path, fence, [first.operation, second.operation])],
      ['clear', (fence) => store.clear(path, fence)],
      ['raise', (fence) => store.raise(path, fence)],
    ])('refuses %s of an older operation and changes nothing', async (_, act) => {
      await withCurrent();
      await store.stage(path, second, () => Promise.resolve(material('two')));
      await rig.again.raise(path, third);
      const before = await store.describe(path);
      await expectCode('Fenced', act(second));
      expect(await store.describe(path)).toEqual(before);
      expect((await store.read(path, { slot: 'next' })).material).toEqual(material('two'));
    });

    it.each<[string, (fence: Fence) => Promise<unknown>]>([
      ['publish', (fence) => store.publish(path, fence)],
      ['withdraw', (fence) => store.withdraw(path, fence)],
      ['discard', (fence) => store.discard(path, fence)],
      ['purge', (fence) => store.purge(path, fence, [])],
      ['clear', (fence) => store.clear(path, fence)],
      ['raise', (fence) => store.raise(path, fence)],
    ])(
      'raises the epoch by %s even where nothing else is to do, so that a late step cannot follow its undo',
      async (what, act) => {
        if (what === 'publish') {
          await withCurrent();
          await act({ operation: first.operation, epoch: second.epoch });
        } else {
          await act(second);
        }
        expect((await store.describe(path)).epoch).toBe(second.epoch);
        await expectCode(
          'Fenced',
          store.stage(path, first, () => Promise.resolve(material('late'))),
        );
      },
    );

    it('keeps paths apart', async () => {
      await withCurrent();
      await store.stage(`${path}/below`, third, () => Promise.resolve(material('one')));
      expect((await store.describe(path)).epoch).toBe(first.epoch);
      expect(versions((await store.describe(`${path}/below`)).slots)).toEqual({ next: third.operation });
    });

    it.each(['', '/etc/passwd', '../up', 'a/../../b', 'a//b', 'a/', '.', 'a/./b', 'a\u0000b', 'x'.repeat(5000)])(
      'refuses the path %j everywhere',
      async (bad) => {
        await expectCode('InvalidRequest', store.describe(bad));
        await expectCode(
          'InvalidRequest',
          store.stage(bad, first, () => Promise.resolve(material('one'))),
        );
        await expectCode('InvalidRequest', store.raise(bad, first));
      },
    );

    it('says that it is ready', async () => {
      await expect(store.probe()).resolves.toBeUndefined();
    });

    it('tells nothing of the material outside of read', async () => {
      const canary = `canary-${path}-x9`;
      await store.stage(path, first, () => Promise.resolve({ password: canary }));
      const refused = await expectCode(
        'Conflict',
        store.stage(path, second, () => Promise.resolve({ password: canary })),
      );
      const told = [await store.describe(path), await store.publish(path, first), refused.message, refused.facts];
      expect(JSON.stringify(told)).not.toContain(canary);
    });
  });
}

const first: Fence = { operation: 'nhi/x/provision/1', epoch: 2 };
const second: Fence = { operation: 'nhi/x/rotate/2', epoch: 4 };
const third: Fence = { operation: 'nhi/x/rotate/3', epoch: 6 };

function material(password: string): Material {
  return { username: 'x', password };
}

function versions(slots: Awaited<ReturnType<Store['describe']>>['slots']): Record<string, string> {
  return Object.fromEntries(Object.entries(slots).map(([slot, { version }]) => [slot, version]));
}

/** Waits for a `TenureError` with this code and gives it back. */
export async function expectCode(code: ErrorCode, attempt: Promise<unknown>): Promise<TenureError> {
  const error: unknown = await attempt.then(
    () => new Error(`expected ${code}, but it succeeded`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TenureError)) throw error;
  expect(error.code).toBe(code);
  return error;
}
