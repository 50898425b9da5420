import { stagesOf } from '../../src/domain/process.js';
import type { Scene } from '../scene.js';

/** Act 2: a rotation under load, all of its stages seen, and the client notices nothing. */
export async function rotate(scene: Scene): Promise<void> {
  const { claims, facts, terminal } = scene.props;
  terminal.act(2, 'a rotation under load: two logins take turns');
  scene.checkUnnoticed('the client works', await scene.endPhase('rotated'));
  const { operation, ran } = await scene.changeToEnd('rotate', 'payments-db', '--reason', 'the demo');
  const seen = stagesOf.rotate.filter((stage) => ran.lines.some((line) => line.startsWith(`${stage}: done`)));
  claims.check(
    'all thirteen stages are seen as they happen',
    seen.length === stagesOf.rotate.length,
    `${seen.length} stages done`,
    stagesOf.rotate.join(', '),
  );
  const proofs = (await facts.resultOf(operation))?.proofs;
  const [refusal] = proofs?.refused ?? [];
  claims.check(
    'it ends with both proofs: the new credential accepted, the old one refused',
    ran.code === 0 && proofs?.accepted !== undefined && refusal !== undefined,
    `${proofs?.accepted?.answer ?? 'no proof'}; ${refusal ? `${refusal.principal} refused with ${refusal.code}` : 'no refusal'}`,
    'exit code 0, an acceptance and a refusal',
  );
  const figures = await scene.endPhase('undone');
  scene.checkUnnoticed('the client noticed nothing', figures);
  claims.check(
    'the client went over from one login to the other',
    Object.keys(figures.logins).length === 2,
    `logins: ${Object.keys(figures.logins).join(', ')}`,
    'two logins in one phase',
  );
}
