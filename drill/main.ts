/** `npm run drill`: starts a system of its own, holds every drill on it, and fails when one is broken. `DRILL` names the ones to hold. */
import process from 'node:process';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { drills } from '../src/drills/all.js';
import { hold, type DrillResult } from '../src/drills/drill.js';
import { startSystem } from './system.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const only = new RegExp(process.env['DRILL'] ?? '');
const chosen = drills.filter(({ id }) => only.test(id));

process.stderr.write('drill: starting PostgreSQL, Temporal and a worker\n');
const { range, stop } = await startSystem();
try {
  const results = await hold(chosen, range, tell);
  const broken = results.filter(({ outcome }) => outcome !== 'held').length;
  process.stdout.write(`${results.length - broken} of ${results.length} held\n`);
  process.exitCode = broken === 0 && results.length > 0 ? 0 : 1;
} finally {
  await stop();
}

function tell({ outcome, id, title, proof, ms }: DrillResult): void {
  const mark = { held: '✔', broken: '✘', 'not run': '–' }[outcome];
  process.stdout.write(
    `${mark} ${outcome.padEnd(7)} ${id.padEnd(20)} ${title} (${(ms / 1_000).toFixed(1)} s)\n          ${proof}\n`,
  );
}
