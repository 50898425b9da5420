/**
 * A worker as a process of its own, so that it can be killed: `worker-program CONFIG ADDRESS NAMESPACE LOG`. It tells its parent at every
 * step and waits for the answer.
 */
import { NativeConnection } from '@temporalio/worker';
import { destination, pino } from 'pino';
import { loadConfig } from '../../src/config/load.js';
import { createWorker } from '../../src/worker.js';
import { probeOf, watchedStore, watchedTarget, type Verdict, type Witness } from './witness.js';
import type { Answer, Question } from './lane.js';

const [configFile, address, namespace, logFile] = process.argv.slice(2) as [string, string, string, string];
const waiting = new Map<number, (verdict: Verdict) => void>();
let asked = 0;

process.on('message', ({ id, verdict }: Answer) => {
  waiting.get(id)?.(verdict);
  waiting.delete(id);
});
// The parent has ended: nobody can answer any more.
process.on('disconnect', () => process.exit(1));

function ask(question: Omit<Question, 'id'>): Promise<Verdict> {
  const id = (asked += 1);
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    process.send!({ id, ...question } satisfies Question);
  });
}

const witness: Witness = {
  meet: (meeting) => ask({ meeting }),
  minted: async (...minted) => void (await ask({ minted })),
  installing: async (...installing) => void (await ask({ installing })),
};

const connection = await NativeConnection.connect({ address });
const worker = await createWorker({
  config: await loadConfig(configFile),
  connection,
  namespace,
  log: pino({ level: 'debug' }, destination({ dest: logFile, sync: true, append: true })),
  probe: probeOf(witness),
  around: {
    target: (target) => watchedTarget(target, witness),
    store: (store) => watchedStore(store, witness),
  },
});
await worker.run();
