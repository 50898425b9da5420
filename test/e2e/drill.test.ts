/**
 * Every drill is seen to fail: on a build of which exactly the control that it is about was taken out. And all of them hold on the
 * build as it is.
 */
import { spawn } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drills } from '../../src/drills/all.js';
import { packageRoot } from '../../src/package-root.js';
import { workflowBundlePath } from '../../src/temporal/bundle.js';
import { compiled } from '../stores/compiled.js';
import { removals, type Removal } from './drill-removals.js';

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Systems that run at once; each is three servers and a worker. */
const atOnce = 2;
const patience = { timeout: 400_000 };

let folder: string;
const runs = new Map<Removal | undefined, Promise<Run>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-drills-'));
  await build(join(folder, 'whole'));
  // The longest first, so that nothing is left over at the end.
  const waiting: (Removal | undefined)[] = [undefined, ...removals.toReversed()];
  const lanes = Array.from({ length: atOnce }, () => Promise.resolve());
  waiting.forEach((removal, index) => {
    const lane = index % atOnce;
    const run = lanes[lane]!.then(() => hold(removal, String(index)));
    runs.set(removal, run);
    lanes[lane] = run.then(
      () => undefined,
      () => undefined,
    );
  });
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('npm run drill', () => {
  it('holds every drill on the build as it is', patience, async () => {
    const { code, output } = await runs.get(undefined)!;
    expect(output).toContain(`${drills.length} of ${drills.length} held`);
    expect(code, output).toBe(0);
  });

  it.each(removals.map((removal) => [removal.breaks.join(', '), removal.without, removal] as const))(
    'reports %s broken where %s',
    patience,
    async (_breaks, _without, removal) => {
      const { code, output } = await runs.get(removal)!;
      expect(brokenIn(output), output).toEqual([...removal.breaks].toSorted());
      expect(output, 'the attack succeeded, it was not stuck').not.toContain('it could not be held');
      expect(code).toBe(1);
    },
  );

  it('has each of its drills broken once', () => {
    expect(removals.flatMap(({ breaks }) => breaks).toSorted()).toEqual(drills.map(({ id }) => id).toSorted());
  });
});

function brokenIn(output: string): string[] {
  return [...output.matchAll(/^✘ broken +(\S+)/gm)].map(([, id]) => id!).toSorted();
}

/** Everything that `drill/main.ts` runs, as plain Node runs it. */
async function build(whole: string): Promise<void> {
  await compiled('drill/main.ts', whole);
  await mkdir(join(whole, 'dist'), { recursive: true });
  await copyFile(workflowBundlePath(), join(whole, 'dist', 'workflow-bundle.js'));
  for (const name of ['package.json', 'policies', 'examples', 'bin', 'tools'])
    await cp(join(packageRoot, name), join(whole, name), { recursive: true });
}

async function hold(removal: Removal | undefined, name: string): Promise<Run> {
  const copy = join(folder, name);
  await cp(join(folder, 'whole'), copy, {
    recursive: true,
    filter: (source) => !source.endsWith('node_modules'),
  });
  await symlink(join(packageRoot, 'node_modules'), join(copy, 'node_modules'));
  for (const edit of removal?.edits ?? []) await apply(copy, edit);
  const only = removal ? `^(${removal.breaks.join('|')})$` : '';
  try {
    return await run(join(copy, 'drill', 'main.js'), { DRILL: only });
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function apply(copy: string, { file, replace, by }: Removal['edits'][number]): Promise<void> {
  const text = await readFile(join(copy, file), 'utf8');
  const parts = text.split(replace);
  expect(parts, `${replace} is in ${file} once`).toHaveLength(2);
  await writeFile(join(copy, file), parts.join(by));
}

function run(program: string, env: Readonly<Record<string, string>>): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
