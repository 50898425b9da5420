import type { Command } from 'commander';
import { onInterrupt } from '../io.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';

export function addWorker(program: Command, runtime: Runtime): void {
  const command = program
    .command('worker')
    .description('do the work: runs until Ctrl-C or SIGTERM, then finishes the steps it is at')
    .addHelpText(
      'after',
      "\nConnects as Temporal's own tools do (TEMPORAL_ADDRESS, TEMPORAL_PROFILE, temporal.toml).\n\nExamples:\n  tenure worker\n  TEMPORAL_ADDRESS=temporal:7233 tenure worker --config /etc/tenure.yaml",
    );
  verb<CommonOptions>(runtime, command, async (session) => {
    const { io, out, services } = session;
    // Loading the native part takes a second, which no other verb should pay.
    const { startWorker } = await import('../work.js');
    const place = { address: await services.address(), namespace: await services.namespace() };
    const worker = await startWorker(session, await services.connectOptions());
    onInterrupt(io.interrupted, () => {
      out.say('finishing the steps at hand');
      worker.shutdown();
    });
    await worker.polling;
    out.say(`working for ${place.address}, namespace ${place.namespace}; Ctrl-C stops it`);
    out.answer({ ...place, pid: process.pid });
    await worker.ended;
    out.say('the worker has stopped');
  });
}
