/** The bare target: what a rotation does at PostgreSQL, in a loop, with nothing that remembers, waits, proves to others or undoes. */
import { loadConfig } from '../src/config/load.js';
import type { Material } from '../src/stores/store.js';
import { openTargets } from '../src/targets/registry.js';
import type { Holder, Subject, Target } from '../src/targets/target.js';
import { measure, type Measured } from './load.js';

/** Rotations of the target alone, over `identities` identities. */
export async function measureBareTarget(
  configFile: string,
  identities: number,
  rotations: number,
  concurrency: number,
): Promise<Measured> {
  const targets = openTargets(await loadConfig(configFile));
  try {
    const pairs = await Promise.all(
      Array.from({ length: identities }, (_, index) => firstTurn(targets.get('ledger-db'), `bare-${index}`)),
    );
    const free = [...pairs];
    return await measure(Array.from({ length: rotations }), concurrency, async () => {
      const pair = free.shift()!;
      await turn(targets.get('ledger-db'), pair);
      free.push(pair);
    });
  } finally {
    await targets.close();
  }
}

interface Pair {
  subject: Subject;
  holder: Holder;
  material: Material;
}

async function firstTurn(target: Target, identity: string): Promise<Pair> {
  const subject: Subject = {
    identity,
    operation: `${identity}/0`,
    epoch: 1,
    strategy: 'alternate',
    scope: { grants: [{ on: 'ledger', may: ['select'] }] },
  };
  const holder = { principal: target.nextPrincipal(subject), version: subject.operation };
  const material = await target.mint(subject, holder.principal);
  await target.install(subject, holder, material);
  return { subject, holder, material };
}

/** The same calls as the stages 5, 6 and 9 to 12. */
async function turn(target: Target, pair: Pair): Promise<void> {
  const epoch = pair.subject.epoch + 1;
  const subject = { ...pair.subject, epoch, operation: `${pair.subject.identity}/${epoch}` };
  const holder = { principal: target.nextPrincipal(subject, pair.holder), version: subject.operation };
  const material = await target.mint(subject, holder.principal);
  await target.install(subject, holder, material);
  await target.verify(subject, material);
  await target.usage(subject, pair.holder);
  await target.retire(subject, [pair.holder], 'these');
  await target.refuse(subject, pair.material, material);
  await target.purge(subject, [pair.holder]);
  Object.assign(pair, { subject, holder, material });
}
