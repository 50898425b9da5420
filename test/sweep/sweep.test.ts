import '../support/quiet.js';
import { afterAll, beforeAll, test } from 'vitest';
import { Ground, prepareGround } from './ground.js';
import { allCases, titleOf } from './matrix.js';
import { sweep } from './sweep.js';

let ground: Ground;
beforeAll(async () => {
  const prepared = await prepareGround();
  if ('unavailable' in prepared) throw new Error(prepared.unavailable);
  ground = prepared;
}, 120_000);
afterAll(async () => ground?.stop());

test('x', { timeout: 1_200_000 }, async () => {
  const only = new RegExp(process.env['SWEEP'] ?? '.');
  const cases = allCases.filter((swept) => only.test(titleOf(swept)));
  const started = Date.now();
  const reports = await sweep(ground, cases, {
    inside: Number(process.env.INSIDE ?? 10),
    outside: 3,
    onReport: (r) =>
      process.stdout.write(
        `${((Date.now() - started) / 1000).toFixed(0)}s ${r.title} [${r.identity}] ${r.outcome} ${r.ms}ms ${r.logins} ${r.broken.join(' | ')}\n`,
      ),
  });
  process.stdout.write(
    `${reports.length} of ${allCases.length} cases, ${reports.filter((r) => r.broken.length).length} broken, ${Date.now() - started} ms, cpu ${JSON.stringify(process.cpuUsage())}, findings ${JSON.stringify(ground.scan.findings)} scanned ${ground.scan.scanned}\n`,
  );
});
