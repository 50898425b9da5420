/** The workflow bundle: what a worker runs inside its sandbox, made once and shipped as a file. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { TenureError } from '../domain/errors.js';
import { packageRoot } from '../package-root.js';

/** What goes into the bundle, and where it goes. */
export interface BundlePlan {
  /** Every function that this module exports is a workflow. */
  readonly workflowsPath: string;
  /** Exports `failureConverter`: how workflows write their failures. */
  readonly failureConverterPath?: string;
  /** Exports `interceptors`: what stands between the worker and the workflows. */
  readonly interceptorsPath?: string;
  /** Files and folders whose content the bundle depends on. */
  readonly inputs: readonly string[];
  readonly outFile: string;
}

const shipped: BundlePlan = {
  workflowsPath: path.join(packageRoot, 'workflows', 'index.ts'),
  failureConverterPath: path.join(packageRoot, 'workflows', 'failure-converter.ts'),
  interceptorsPath: path.join(packageRoot, 'workflows', 'interceptors.ts'),
  inputs: ['workflows', 'src/domain', 'src/temporal/search-attributes.ts'].map((input) =>
    path.join(packageRoot, input),
  ),
  outFile: path.join(packageRoot, 'dist', 'workflow-bundle.js'),
};

/**
 * The bundle's file, for `workflowBundle: { codePath }`.
 *
 * @throws TenureError `InvalidRequest` when it was never built.
 */
export function workflowBundlePath(): string {
  if (existsSync(shipped.outFile)) return shipped.outFile;
  throw new TenureError('InvalidRequest', `the workflow bundle ${shipped.outFile} is missing: run \`npm run build\``, {
    next: ['npm run build'],
  });
}

/**
 * Bundles the workflows unless the file is there already and was made of the same content. The file appears whole, so
 * that a worker which starts at the same moment reads the old one or the new one.
 *
 * @returns the bundle's file
 */
export async function buildWorkflowBundle(plan: BundlePlan = shipped): Promise<string> {
  const stampFile = `${plan.outFile}.sha256`;
  const stamp = await digest(plan);
  if (existsSync(plan.outFile) && (await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return plan.outFile;
  const { workflowsPath, failureConverterPath, interceptorsPath } = plan;
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger: quiet,
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    ...(interceptorsPath !== undefined && { workflowInterceptorModules: [interceptorsPath] }),
  });
  await mkdir(path.dirname(plan.outFile), { recursive: true });
  await writeWhole(plan.outFile, code);
  await writeWhole(stampFile, stamp);
  return plan.outFile;
}

async function writeWhole(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, content);
  await rename(draft, file);
}

/** The SDK that bundles has to be the SDK that runs: its version is part of the content. */
async function digest(plan: BundlePlan): Promise<string> {
  const hash = createHash('sha256').update(sdkVersion()).update(plan.workflowsPath);
  for (const file of (await Promise.all(plan.inputs.map(filesIn))).flat())
    hash.update(`\0${path.relative(packageRoot, file)}\0`).update(await readFile(file));
  return hash.digest('hex');
}

async function filesIn(input: string): Promise<string[]> {
  if (path.extname(input)) return [input];
  const names = await readdir(input, { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => path.join(input, name));
}

function sdkVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('@temporalio/worker/package.json') as { version: string }).version;
}

/** webpack's report is worth reading only when it failed, and then it is in the error. */
const quiet = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: (message: string) => void process.stderr.write(`${message}\n`),
  error: (message: string) => void process.stderr.write(`${message}\n`),
};
