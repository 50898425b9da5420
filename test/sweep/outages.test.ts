import '../support/quiet.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOn } from '../support/machine.js';
import { prepareGround, type Ground } from './ground.js';
import { Lane } from './lane.js';
import { outageSteps, strike, type Outage } from './outage.js';
import { hastyTiming } from './subject.js';
import { brokenOf, keep } from './report.js';

const crashed = (ground: Ground, lastsMs: number): Pick<Outage, 'begin' | 'end' | 'lastsMs'> => ({
  lastsMs,
  begin: () => ground.postgres.kill(),
  end: () => ground.postgres.restart(),
});

const outagesOf = (ground: Ground): readonly Outage[] => [
  { name: 'PostgreSQL crashed', ...crashed(ground, 2_000) },
  { name: 'PostgreSQL away for longer than the patience', ...crashed(ground, 12_000), timing: hastyTiming },
  {
    name: 'PostgreSQL frozen',
    lastsMs: 4_000,
    begin: async () => ground.postgres.pause(),
    end: async () => ground.postgres.resume(),
  },
  {
    name: 'store unwritable',
    lastsMs: 3_000,
    begin: () => ground.takeStoreAway(),
    end: () => ground.bringStoreBack(),
  },
  { name: 'Temporal killed', lastsMs: 500, begin: () => ground.cutTemporal(1_500), end: () => Promise.resolve() },
];

const started = await prepareGround();
describeOn(started, 'a rotation at each of its steps when something is away for a while', (ground) => {
  let lane: Lane;
  beforeAll(async () => {
    lane = await Lane.inside(ground, ground.temporal.namespace);
  }, 60_000);
  afterAll(async () => {
    await lane?.stop();
    await ground.stop();
  }, 60_000);

  test.each(outagesOf(ground))('I2–I8: $name', { timeout: 600_000 }, async (outage) => {
    const reports = await strike(lane, outage, outageSteps);
    keep('sweep-outages', reports);
    expect(brokenOf(reports)).toEqual([]);
    expect(reports.map(({ step }) => step)).toEqual(outageSteps.map(({ step }) => step));
    expect((await ground.search()).findings).toEqual([]);
  });
});
