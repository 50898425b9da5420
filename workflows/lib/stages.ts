/**
 * The stages that make a credential, and those that end one, as every process runs them. Each undo stands beside its step and is
 * registered before it: a step that timed out may have taken effect.
 */
import * as say from './notes.js';
import { failureOf } from './failure.js';
import { tellBack } from './consumers.js';
import type { Process } from './process.js';

/** What a process ends: the credentials that it names, or everything that was ever minted for the identity. */
export type Reach = 'these' | 'everything';

/** Stage 4. The candidate is durable under the operation id before the target hears of it; a retry gets the same one. */
export async function stageCandidate(process: Process): Promise<void> {
  process.unwind.before('stage', () => process.call('stubborn', 'Destroy the candidate').discard(process.undoing()));
  await process.stage('stage', () => keepCandidate(process), say.staged);
}

/** Stage 5. */
export async function install(process: Process): Promise<void> {
  const target = process.input.spec.target.name;
  process.unwind.before('install', () =>
    process.call('stubborn', `Remove the candidate from ${target}`).uninstall(process.undoing()),
  );
  await process.stage(
    'install',
    () => process.call('careful', `Make ${target} accept the candidate`).install(process.change()),
    say.installed,
  );
}

/** Stage 6. */
export async function verify(process: Process): Promise<void> {
  process.proofs.accepted = await process.stage(
    'verify',
    () => process.call('careful', 'Log in and compare the rights with the approved scope').verify(process.change()),
    say.accepted,
  );
}

/** Stage 7. On the way back the store is swapped first; then consumers are told, so that they read what is current again. */
export async function publish(process: Process): Promise<void> {
  process.unwind.before('hand over', () => tellBack(process));
  process.unwind.before('publish', () => process.call('stubborn', 'Swap the store back').withdraw(process.undoing()));
  await process.stage(
    'publish',
    () =>
      process.hereFirst('careful', 'Make the candidate the current credential', (activities) =>
        activities.publish(process.change()),
      ),
    say.published(process),
  );
}

/** How often an old credential that is still let in is retired again before a person is asked. */
const turnsBeforeParking = 3;

/** Stages 10 and 11. Refusal is what counts: an old credential that is still let in is retired again, and operators are told. */
export async function retireUntilRefused(process: Process, reach: Reach): Promise<void> {
  const ending = { ...process.change(), reach };
  const those = reach === 'these' ? 'the old credential' : 'every credential';
  for (let turn = 1; ; turn += 1) {
    process.proofs.retired = await process.forward(
      'retire',
      () => process.call('stubborn', `Disable ${those}, end its sessions`).retire(ending),
      say.retired,
    );
    try {
      process.proofs.refused = await process.stage(
        'refuse',
        () => process.call('stubborn', `Prove that ${those} is refused`).refuse(ending),
        say.refused,
      );
      return;
    } catch (error) {
      if (process.inbox.preemptedBy !== undefined) throw error;
      const { code, message } = failureOf(error);
      if (code === 'StillAccepted' && turn % turnsBeforeParking > 0) await process.alert(`retired again: ${message}`);
      else if ((await process.park('refuse', message)) === 'abandon') throw error;
    }
  }
}

/** Stage 12. */
export async function purge(process: Process, reach: Reach): Promise<void> {
  const ending = { ...process.change(), reach };
  await process.forward(
    'purge',
    () => process.call('stubborn', 'Destroy the material that was retired').purge(ending),
    say.purged,
  );
}

async function keepCandidate(process: Process): Promise<NonNullable<Process['candidate']>> {
  return (process.candidate = await process.hereFirst('careful', 'Keep a new candidate in the store', ({ stage }) =>
    stage(process.change()),
  ));
}
