/**
 * The process in which histories are replayed: what comes out of a bundle can make the replayer hang or fall over, and that ends this
 * process alone. It gets no variables of ours.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long one history may take, milliseconds: the longest of ours take one second. */
const patienceMs = 60_000;

/** Replays `0.json` to `<count - 1>.json` in `folder` against `code.js` there. Gives why each fails; undefined for what does not. */
export async function replayInChild(folder: string, count: number): Promise<(string | undefined)[]> {
  const answers: (string | undefined)[] = [];
  while (answers.length < count) {
    const { results, end } = await replayFrom(folder, answers.length, count);
    answers.push(...results);
    if (answers.length < count) answers.push(end);
  }
  return answers;
}

/** Those from `first` on, as far as it gets; `end` says why it ended before the last. */
async function replayFrom(
  folder: string,
  first: number,
  count: number,
): Promise<{ results: (string | undefined)[]; end: string }> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program, sdk, protocol, String(first), String(count)],
    { cwd: folder, env: {}, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const results: (string | undefined)[] = [];
  let timer = limit(child);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      clearTimeout(timer);
      timer = limit(child);
      results.push((JSON.parse(line) as { error?: string }).error);
    }
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
  return { results, end: 'it could not be led through to its end' };
}

function limit(child: ChildProcess): NodeJS.Timeout {
  return setTimeout(() => child.kill('SIGKILL'), patienceMs);
}

const sdk = import.meta.resolve('@temporalio/worker');
const protocol = import.meta.resolve('@temporalio/common/lib/proto-utils.js');

/** Plain JavaScript, since it has to run beside sources as beside compiled code. */
const program = `
import { readFile } from 'node:fs/promises';
const [sdk, protocol, first, count] = process.argv.slice(1);
const { default: { Worker, Runtime, DefaultLogger } } = await import(sdk);
const { default: { historyFromJSON } } = await import(protocol);
Runtime.install({ logger: new DefaultLogger('ERROR', () => {}), telemetryOptions: { logging: { filter: 'OFF' } } });
async function* histories() {
  for (let at = Number(first); at < Number(count); at += 1) {
    const { workflowId, history } = JSON.parse(await readFile(at + '.json', 'utf8'));
    yield { workflowId, history: historyFromJSON(history) };
  }
}
const say = (error) => process.stdout.write(JSON.stringify({ error: error?.message }) + '\\n');
try {
  const workflowBundle = { code: await readFile('code.js', 'utf8') };
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, histories())) say(error);
} catch (error) {
  say(error);
}
process.exitCode = 0;
`;
