import { isDeepStrictEqual } from 'node:util';
import { loginsOf } from '../../src/targets/postgresql/names.js';
import { identity, type Scene } from '../scene.js';

const title = 'a rotation whose new login is refused is undone, and nobody notices';

/** Act 3: PostgreSQL refuses the new login, so the rotation cannot succeed. It takes itself back. */
export async function undo(scene: Scene): Promise<void> {
  const { claims, ledger, terminal } = scene.props;
  terminal.act(3, 'a rotation that cannot succeed: PostgreSQL refuses the new login');
  if (!ledger.refuse) {
    claims.notShown(title, 'it needs a line in pg_hba.conf, which is not written on a server that was given');
    await scene.endPhase('taken over');
    // Nothing happened in it.
    scene.figures.pop();
    return;
  }
  const before = await standing(scene);
  const candidate = loginsOf(identity).find((login) => login !== before.current?.principal)!;
  const lift = await ledger.refuse(candidate);
  terminal.tell(`in pg_hba.conf: host all "${candidate}" ${ledger.host}/32 reject`);
  try {
    await tryAndUndo(scene, before);
  } finally {
    await lift();
  }
  terminal.tell('the line is removed from pg_hba.conf');
}

async function tryAndUndo(scene: Scene, before: Standing): Promise<void> {
  const { claims, facts } = scene.props;
  const { operation, ran } = await scene.changeToEnd('rotate', identity, '--reason', 'it cannot succeed');
  const result = await facts.resultOf(operation);
  claims.check(
    title,
    ran.code === 1 && result?.outcome === 'undone' && result.failure?.code === 'VerificationFailed',
    `${result?.outcome ?? 'no result'}, ${result?.failure?.code ?? 'no failure'}`,
    'exit code 1, outcome undone, because of VerificationFailed',
  );
  const after = await standing(scene);
  claims.check(
    'everything is as before: state, store and roles',
    isDeepStrictEqual(after, before),
    `current ${after.current?.version ?? 'none'}; store: ${after.slots.join(', ')}; ${after.roles.join(', ')}`,
    `current ${before.current?.version ?? 'none'}; store: ${before.slots.join(', ')}; ${before.roles.join(', ')}`,
  );
  scene.checkUnnoticed('the client noticed nothing', await scene.endPhase('taken over'));
}

type Standing = Awaited<ReturnType<typeof standing>>;

async function standing(scene: Scene) {
  const { facts, store, storePath } = scene.props;
  const { current, status } = await facts.stateWhen('nothing runs', ({ running }) => running === undefined);
  const { slots } = await store.describe(storePath);
  return {
    current,
    status,
    slots: Object.entries(slots).map(([slot, { version }]) => `${slot} ${version}`),
    roles: await scene.roles(),
  };
}
