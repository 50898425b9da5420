import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { buildWorkflowBundle, type BundlePlan } from '../../src/temporal/bundle.js';

describe('the workflow bundle', () => {
  let plan: BundlePlan;
  let folder: string;
  beforeEach(async () => {
    // Below the project, where the SDK's packages are found.
    await mkdir(path.join(packageRoot, '.cache'), { recursive: true });
    folder = await mkdtemp(path.join(packageRoot, '.cache', 'bundle-'));
    plan = {
      workflowsPath: path.join(folder, 'index.ts'),
      inputs: [folder],
      outFile: path.join(folder, 'out', 'bundle.js'),
    };
    await write("export async function answer(): Promise<string> { return 'forty-two'; }");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = (source: string) => writeFile(plan.workflowsPath, source);

  test('holds the workflows', async () => {
    expect(await buildWorkflowBundle(plan)).toBe(plan.outFile);
    expect(await readFile(plan.outFile, 'utf8')).toContain('forty-two');
  });

  test('is made again only when the content changed, not when a file has a new time', async () => {
    await buildWorkflowBundle(plan);
    const made = (await stat(plan.outFile)).mtimeMs;
    await utimes(plan.workflowsPath, new Date(), new Date(0));
    await buildWorkflowBundle(plan);
    expect((await stat(plan.outFile)).mtimeMs).toBe(made);
    await write("export async function answer(): Promise<string> { return 'forty-three'; }");
    await buildWorkflowBundle(plan);
    expect(await readFile(plan.outFile, 'utf8')).toContain('forty-three');
  });

  test('can’t be made of a workflow that reaches for Node', async () => {
    await write(
      "import { readFileSync } from 'node:fs'; export async function bad() { return readFileSync('/etc/hostname'); }",
    );
    await expect(buildWorkflowBundle(plan)).rejects.toThrow();
  });
});
