import { setTimeout as sleep } from 'node:timers/promises';
import { identity, type Scene } from '../scene.js';

const worksMs = 1_500;

/** Act 6: the identity comes back, works, and is offboarded; nothing answers to it any more. */
export async function offboard(scene: Scene): Promise<void> {
  const { claims, facts, ledger, store, storePath, tenure, terminal } = scene.props;
  terminal.act(6, 'provisioned again, and offboarded');
  const planned = await tenure.run('plan');
  claims.check(
    'what was revoked is not brought back by what stands in a manifest',
    planned.code === 0 && planned.lines.some((line) => line.includes('0 to provision')),
    planned.lines.at(-1) ?? 'nothing',
    '0 to provision',
  );
  const again = await scene.changeToEnd('apply', '--reinstate');
  claims.check('it is provisioned again', again.ran.code === 0, `exit code ${again.ran.code}`, 'exit code 0');
  await scene.endPhase('provisioned again');
  await sleep(worksMs);
  const figures = await scene.client.ask({ ask: 'rest' });
  scene.figures.push(figures);
  scene.checkUnnoticed('the client works again', figures);
  terminal.tell('the client has stopped; nothing needs the identity any more');
  const { operation, ran } = await scene.changeToEnd('offboard', identity, '--yes', '--reason', 'the end of the demo');
  const gone = (await facts.resultOf(operation))?.proofs.gone ?? [];
  claims.check(
    'offboarding gives the proof that nothing answers',
    ran.code === 0 && gone.length > 0 && gone.every((sentence) => ran.lines.some((line) => line.includes(sentence))),
    `${gone.length} sentences of proof`,
    'exit code 0, and every sentence of the proof shown',
  );
  const roles = await scene.roles();
  const sessions = await ledger.sql(`SELECT pid FROM pg_stat_activity WHERE starts_with(usename, '${identity}')`);
  const slots = Object.keys((await store.describe(storePath)).slots);
  claims.check(
    'PostgreSQL and the store, asked without Tenure, agree',
    roles.length + sessions.length + slots.length === 0,
    `${roles.length} roles, ${sessions.length} sessions, ${slots.length} credentials in the store`,
    'none of any',
  );
  const tried = await scene.client.ask({ ask: 'try all' });
  claims.check(
    'no credential that the client ever had is let in',
    tried.tried > 0 && tried.accepted.length === 0,
    `${tried.tried} tried, ${tried.accepted.length} let in`,
    'some tried, none let in',
  );
}
