/** The sweep is an instrument: with a violation planted, it has to name the invariant that is broken. */
import '../support/quiet.js';
import { afterAll, expect, test } from 'vitest';
import type { Store } from '../../src/stores/store.js';
import type { Subject as OnBehalf, Target } from '../../src/targets/target.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Fence } from '../../src/domain/credential.js';
import { describeOn } from '../support/machine.js';
import { runCase } from './case.js';
import { prepareGround, type Ground } from './ground.js';
import { judge } from './invariants.js';
import { Lane, type InsideOptions } from './lane.js';
import { allCases, titleOf, type Case } from './matrix.js';
import { enduringTiming, Subject } from './subject.js';

/** Numbers of the invariants that a case found broken. */
async function brokenBy(ground: Ground, swept: Case, spoil?: NonNullable<InsideOptions['spoil']>): Promise<string> {
  const lane = await Lane.inside(ground, ground.temporal.namespace, spoil ? { spoil } : {});
  try {
    const { broken } = await runCase(lane, swept);
    return broken.join('\n');
  } finally {
    await lane.stop();
  }
}

function caseOf(title: string): Case {
  const found = allCases.find((swept) => titleOf(swept) === title);
  if (!found) throw new Error(`no case is called ${title}`);
  return found;
}

const same = { target: (target: Target) => target, store: (store: Store) => store };
const withTarget = (spoil: (target: Target) => Partial<Target>) => ({
  ...same,
  target: (target: Target) => Object.assign(Object.create(target) as Target, spoil(target)),
});
const withStore = (spoil: (store: Store) => Partial<Store>) => ({
  ...same,
  store: (store: Store) => Object.assign(Object.create(store) as Store, spoil(store)),
});

/** As if it had never heard of another epoch. */
const timeless = 1_000_000;
const ignoringEpoch = (target: Target): Partial<Target> => {
  const now = (subject: OnBehalf): OnBehalf => ({ ...subject, epoch: timeless });
  return {
    install: (subject, holder, material) => target.install(now(subject), holder, material),
    uninstall: (subject, holder, before) => target.uninstall(now(subject), holder, before),
    retire: (subject, holders, reach) => target.retire(now(subject), holders, reach),
    purge: (subject, holders, reach) => target.purge(now(subject), holders, reach),
    bringRights: (subject, holders, sessions) => target.bringRights(now(subject), holders, sessions),
    remove: (subject) => target.remove(now(subject)),
  };
};
const ignoringFence = (store: Store): Partial<Store> => {
  const now = ({ operation }: Fence): Fence => ({ operation, epoch: timeless });
  return {
    describe: async (path) => ({ ...(await store.describe(path)), epoch: 0 }),
    stage: (path, fence, make) => store.stage(path, now(fence), make),
    publish: (path, fence) => store.publish(path, now(fence)),
    withdraw: (path, fence) => store.withdraw(path, now(fence)),
    discard: (path, fence) => store.discard(path, now(fence)),
    purge: (path, fence, versions) => store.purge(path, now(fence), versions),
    clear: (path, fence) => store.clear(path, now(fence)),
    raise: (path, fence) => store.raise(path, now(fence)),
  };
};

const started = await prepareGround();
describeOn(started, 'a planted violation is named', (ground) => {
  afterAll(() => ground.stop(), 60_000);

  test('none, where nothing is planted', { timeout: 300_000 }, async () => {
    expect(await brokenBy(ground, caseOf('rotate / undo / discard / lost-after'))).toBe('');
  });

  test('I2: the target hears of a credential that the store does not hold', { timeout: 300_000 }, async () => {
    const forgetful = withStore((store) => ({
      read: async (path, which) => {
        const read = await store.read(path, which);
        const isHit = 'version' in which && which.version.includes('/rotate/');
        return isHit ? { ...read, material: { ...read.material, password: `${Math.random()}` } } : read;
      },
    }));
    expect(await brokenBy(ground, caseOf('rotate / stage / stage / lost-after'), forgetful)).toContain('I2: ');
  });

  test('I3, I4: a store that is not swapped back', { timeout: 300_000 }, async () => {
    const stuck = withStore((store) => ({ withdraw: (path) => store.describe(path) }));
    const broken = await brokenBy(ground, caseOf('rotate / undo / discard / lost-after'), stuck);
    expect(broken).toContain('I3: ');
    expect(broken).toContain('I4: ');
  });

  test('I4: an installation that is not undone', { timeout: 300_000 }, async () => {
    const lingering = withTarget(() => ({ uninstall: () => Promise.resolve() }));
    expect(await brokenBy(ground, caseOf('rotate / verify / verify / refused-before'), lingering)).toContain('I4: ');
  });

  test('I4: a revocation that leaves a login', { timeout: 300_000 }, async () => {
    const lax = withTarget(() => ({
      retire: () => Promise.resolve({ principals: ['all'], at: new Date().toISOString(), sessionsEnded: 0 }),
      purge: () => Promise.resolve(),
      refuse: async (_, { username = '' }) => ({
        principal: username,
        at: new Date().toISOString(),
        code: '28P01',
        answer: 'refused',
        control: 'nobody',
      }),
    }));
    expect(await brokenBy(ground, caseOf('emergency / refuse / refuse / lost-after'), lax)).toContain('I4: ');
  });

  test('I5: success without proof', { timeout: 300_000 }, async () => {
    const credulous = withTarget(() => ({
      refuse: async (_, { username = '' }) => ({
        principal: username,
        at: new Date().toISOString(),
        code: 'ECONNREFUSED',
        answer: 'unreachable',
        control: '',
      }),
    }));
    expect(await brokenBy(ground, caseOf('rotate / purge / purge / lost-after'), credulous)).toContain('I5: ');
  });

  test('I7: a target and a store that do not look at the epoch', { timeout: 300_000 }, async () => {
    const unfenced = { ...withTarget(ignoringEpoch), store: withStore(ignoringFence).store };
    const broken = await brokenBy(ground, caseOf('rotate / install / target.install / emergency-before'), unfenced);
    expect(broken).toContain('I7: a late stage');
    expect(broken).toContain('I4: ');
  });

  test('I7: a target that lends without looking at the epoch', { timeout: 300_000 }, async () => {
    const unfenced = withTarget(ignoringEpoch);
    const broken = await brokenBy(
      ground,
      caseOf('elevate / elevate / target.bringRights / emergency-before'),
      unfenced,
    );
    expect(broken).toContain('I7: a late elevate');
  });

  test('I8: rights that are said to be back and are not', { timeout: 300_000 }, async () => {
    const generous = withTarget((target) => ({
      bringRights: (subject, holders, sessions) =>
        sessions === 'end'
          ? Promise.resolve({ changed: [], sessionsEnded: 0 })
          : target.bringRights(subject, holders, sessions),
      verify: async (subject, material) => ({ ...(await target.verify(subject, material)), excess: [], missing: [] }),
    }));
    const broken = await brokenBy(ground, caseOf('elevate / hold / hold / cancel-before'), generous);
    expect(broken).toMatch(/I8: .* has them still/);
  });

  test('I8: what is given up past the point of no return', { timeout: 300_000 }, async () => {
    const refusing = withTarget(() => ({
      retire: () => Promise.reject(new TenureError('RejectedUnchanged', 'a test says so')),
    }));
    const lane = await Lane.inside(ground, ground.temporal.namespace, { spoil: refusing });
    const subject = new Subject(lane, { timing: enduringTiming });
    try {
      await subject.tell({ kind: 'provision' });
      await subject.stateWhen(({ running, current }) => !running && current !== undefined);
      const parked = subject.parked();
      await subject.tell({ kind: 'rotate' });
      await parked;
      const { running } = await subject.state();
      await subject.abandon(running!.operation);
      await subject.stateWhen((state) => !state.running);
      expect((await judge(subject)).join('\n')).toContain('I8: ');
    } finally {
      await subject.close();
      await lane.stop();
    }
  });
});
