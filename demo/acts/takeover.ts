import { identity, type Scene } from '../scene.js';

/** Act 4: the worker dies at the worst moment, with the new credential published and the consumers half told. */
export async function takeover(scene: Scene): Promise<void> {
  const { claims, facts, receiver, terminal } = scene.props;
  terminal.act(4, 'the worker is killed in the middle of a rotation');
  const told = receiver.stallNext();
  const { operation, ended } = await scene.change('rotate', identity, '--reason', 'the worker will not live');
  const message = await told;
  const dead = scene.worker!;
  terminal.tell('the new credential is published; a consumer is being told of it and has not answered yet');
  terminal.command(['kill', '-9', String(dead.pid)]);
  const killedAt = Date.now();
  await dead.kill();
  const heir = await scene.startWorker();
  const ran = await ended;
  const result = await facts.resultOf(operation);
  claims.check(
    'a new worker finishes the rotation',
    ran.code === 0 && result?.outcome === 'succeeded',
    result?.outcome ?? 'no result',
    'exit code 0, outcome succeeded',
  );
  const tookOverAt = await facts.firstStepOf(operation, heir.pid);
  const seconds = tookOverAt === undefined ? undefined : (tookOverAt - killedAt) / 1_000;
  claims.check(
    'the history names the worker that took over',
    seconds !== undefined && seconds > 0,
    seconds === undefined ? 'no step of the new worker' : `its first step came ${seconds.toFixed(1)} s after the kill`,
    'a step of the new worker after the kill',
  );
  if (seconds !== undefined)
    scene.measured.push(['SIGKILL of a worker to the first step of the next', `${seconds.toFixed(1)} s`]);
  const copies = receiver.received.filter(({ id }) => id === message.id).length;
  claims.check(
    'the consumer was told again, by the same message id',
    copies >= 2,
    `${copies} messages ${message.id}`,
    'two or more with one id',
  );
  scene.checkUnnoticed('the client noticed nothing', await scene.endPhase('revoked'));
}
