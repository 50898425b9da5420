import type { Ran } from '../tenure.js';
import { responder } from '../people.js';
import { identity, inWords, type Course, type Scene } from '../scene.js';

/** Act 5: an emergency revocation while a rotation waits for the old credential to fall out of use. */
export async function revoke(scene: Scene): Promise<void> {
  const { facts, tenure, terminal } = scene.props;
  terminal.act(5, 'an emergency revocation pre-empts a rotation');
  const held = await scene.client.ask({ ask: 'hold' });
  terminal.tell(`a session of ${held.principal} is opened and stays open`);
  const rotation = await scene.change('rotate', identity, '--reason', 'it will be pre-empted');
  await facts.untilStage(rotation.operation, 'drain');
  const ran = await tenure.run(
    'revoke',
    identity,
    '--now',
    '--as',
    responder,
    '--reason',
    'found in a public repository',
  );
  await checkPreempted(scene, rotation);
  await checkRefused(scene, ran);
}

async function checkPreempted(scene: Scene, { operation, ended }: Course): Promise<void> {
  const { claims, facts } = scene.props;
  const { code } = await ended;
  const { recent } = await facts.state();
  const outcome = recent.find((process) => process.operation === operation)?.outcome ?? 'no outcome';
  claims.check(
    'the rotation is pre-empted',
    code === 1 && outcome === 'pre-empted',
    `exit code ${code}, ${outcome}`,
    'exit code 1, pre-empted',
  );
}

async function checkRefused(scene: Scene, ran: Ran): Promise<void> {
  const { claims, facts, terminal } = scene.props;
  const { recent, status } = await facts.state();
  const operation = recent.findLast(({ kind }) => kind === 'revoke')!.operation!;
  const result = await facts.resultOf(operation);
  const recordedAt = await facts.recordedAt(operation);
  const provenAt = Math.max(...(result?.proofs.refused ?? []).map(({ at }) => Date.parse(at)));
  claims.check(
    'every credential is revoked, with the proof that it is refused',
    ran.code === 0 && result?.outcome === 'succeeded' && status === 'revoked' && Number.isFinite(provenAt),
    `${status}; ${(result?.proofs.refused ?? []).map((proof) => `${proof.principal} refused with ${proof.code}`).join(', ')}`,
    'exit code 0, status revoked, a refusal',
  );
  await checkSessionEnded(scene, recordedAt);
  const figures = await scene.endPhase('without a credential');
  const { firstFailedAt, firstRefusedAt, lastGoodAt } = figures;
  claims.check(
    'no request fails before the revocation, and no login is let in after the proof',
    firstFailedAt! >= recordedAt && firstRefusedAt !== undefined && lastGoodAt! <= provenAt,
    inWords(figures),
    'the first failure after the request, the last success before the proof',
  );
  const said = /^\s*(.+) from the request to the proven refusal/.exec(
    ran.lines.find((line) => line.includes('proven refusal,')) ?? '',
  )?.[1];
  claims.check('the command line says how long it took', said !== undefined, said ?? 'nothing', 'a line with the time');
  const tried = await scene.client.ask({ ask: 'try all' });
  claims.check(
    'every credential that the client ever had is refused',
    tried.tried > 0 && tried.accepted.length === 0,
    `${tried.tried} tried, ${tried.accepted.length} let in; ${tried.codes.join(', ')}`,
    'some tried, none let in',
  );
  scene.measured.push(
    ['revoke --now: request to proven refusal, as the command line measured it', said ?? 'unknown'],
    ['revoke --now: request recorded to proven refusal, by the records', milliseconds(provenAt - recordedAt)],
    [
      'revoke --now: request recorded to the first login that the client was refused',
      milliseconds(firstRefusedAt! - recordedAt),
    ],
  );
  terminal.tell(
    `the client was refused for the first time ${milliseconds(firstRefusedAt! - recordedAt)} after the request`,
  );
}

/** The server tells the session that it ends it: SQLSTATE 57P01. */
async function checkSessionEnded(scene: Scene, recordedAt: number): Promise<void> {
  const ended = await scene.client.holdEnded;
  scene.props.claims.check(
    'the session that was open has ended',
    ended.code === '57P01' && ended.at >= recordedAt,
    `${ended.code}, ${milliseconds(ended.at - recordedAt)} after the request`,
    '57P01 after the request',
  );
  scene.measured.push([
    'revoke --now: request recorded to the end of an open session',
    milliseconds(ended.at - recordedAt),
  ]);
}

function milliseconds(span: number): string {
  return `${Math.round(span)} ms`;
}
