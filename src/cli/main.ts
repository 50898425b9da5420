/** The process: real streams, real signals, one exit code. Everything else is in `program.ts`. */
import process from 'node:process';
import { isChildRunning } from './child.js';
import { complaintOf } from './errors.js';
import type { Io } from './io.js';
import { run } from './program.js';

const interrupt = new AbortController();
// The listeners stay: a library that finds itself the only one left would end the process at once. A second Ctrl-C does so.
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted && !isChildRunning()) process.exit(exitCode);
    interrupt.abort(signal);
  });
}
// A reader such as `head` that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  interrupted: interrupt.signal,
};

let isOver = false;
process.on('uncaughtException', (error) => {
  // What the SDK throws out of a timer after its connection was closed tells nobody anything.
  if (isOver) return;
  process.stderr.write(`error: ${complaintOf(error).message}\n  next: tenure doctor\n`);
  process.exit(1);
});
process.exitCode = await run(process.argv.slice(2), io);
isOver = true;
