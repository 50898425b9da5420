import { setTimeout as sleep } from 'node:timers/promises';
import { identity, type Scene } from '../scene.js';
import { tryTheGate } from './gate.js';

/** How long the client works before anything else happens. */
const steadyMs = 2_000;

/** Act 1: what is declared is shown, approved, made, proven and delivered; then the client goes to work. */
export async function provision(scene: Scene): Promise<void> {
  const { claims, facts, tenure, terminal } = scene.props;
  terminal.act(1, 'plan shows the change, apply brings it about');
  const planned = await tenure.run('plan');
  const untouched = (await scene.roles()).length === 0 && !(await facts.isKnown());
  claims.check(
    'plan shows the provision and touches nothing',
    planned.code === 0 && untouched && planned.lines.some((line) => line.includes('provision')),
    untouched ? 'no role at PostgreSQL, no workflow at Temporal' : 'something exists already',
    'a line that says provision; no role, no workflow',
  );
  const operation = await scene.ask('apply');
  const before = await scene.roles();
  claims.check('nothing is made before somebody approves', before.length === 0, `roles: ${named(before)}`, 'no role');
  await tryTheGate(scene, operation);
  const ran = await scene.approve();
  const result = await facts.resultOf(operation);
  const after = await scene.roles();
  claims.check(
    `${identity} is provisioned, and the login was proven`,
    ran.code === 0 && result?.outcome === 'succeeded' && result.proofs.accepted !== undefined,
    `${result?.proofs.accepted?.answer ?? 'no proof'}; roles: ${named(after)}`,
    'exit code 0 and a proof that the credential is accepted',
  );
  await scene.startClient('as provisioned');
  terminal.tell('a client program begins: a new login for every request, with what the store calls current');
  await sleep(steadyMs);
}

function named(roles: readonly string[]): string {
  return roles.join(', ') || 'none';
}
