/**
 * Makes the tree ready to run: dependencies as the lock file says, compiled code, the workflow bundle. Each part looks
 * at content, not at time, says one line when it works, and nothing when nothing is left to do.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run, step, StepFailed } from './progress.mjs';

/** The project's folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const inRoot = (/** @type {string[]} */ ...parts) => path.join(root, ...parts);
const stamp = inRoot('dist', '.built');
// The demo and the drills start their PostgreSQL, and make their people, as the tests do.
const sourceFolders = ['src', 'workflows', 'activities', 'demo', 'bench', 'drill', 'test/systems', 'test/support'];

/** Installs, compiles and bundles what is missing or stale. */
export async function prepare() {
  if (isInstalled() && isBuilt()) return;
  await alone(async () => {
    if (!isInstalled()) await install();
    if (!isBuilt()) await build();
  });
}

async function install() {
  await step('installing dependencies (npm ci)', () =>
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root }),
  );
}

async function build() {
  const sources = sourceHash();
  await step('compiling', async () => {
    await run(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
      cwd: root,
    });
    removeLeftovers();
  });
  await step('bundling the workflows', () =>
    run(process.execPath, [inRoot('dist/src/temporal/bundle-main.js')], { cwd: root }),
  );
  writeFileSync(stamp, sources);
}

/**
 * Compares what npm says it installed with the lock file. Looking at content spares an installation that is good from
 * being thrown away because a checkout gave the lock file a new time.
 */
function isInstalled() {
  const installed = readJson(inRoot('node_modules', '.package-lock.json'))?.packages;
  const wanted = readJson(inRoot('package-lock.json'))?.packages;
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(
    ([name, entry]) =>
      name === '' || (installed[name] ? installed[name].version === entry.version : entry.optional === true),
  );
}

function isBuilt() {
  return (
    existsSync(stamp) &&
    existsSync(inRoot('dist', 'workflow-bundle.js')) &&
    readFileSync(stamp, 'utf8') === sourceHash()
  );
}

function sourceHash() {
  const hash = createHash('sha256');
  const files = sourceFolders.flatMap((folder) => filesBelow(inRoot(folder))).filter((file) => file.endsWith('.ts'));
  for (const file of [...files, ...['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((f) => inRoot(f))])
    hash.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** Compiled files whose source is gone would still satisfy an import: remove them. */
function removeLeftovers() {
  for (const file of filesBelow(inRoot('dist'))) {
    const source = path.relative(inRoot('dist'), file).replace(/\.js(\.map)?$/, '.ts');
    if (source.includes(path.sep) && !existsSync(inRoot(source))) rmSync(file);
  }
}

/** @returns {string[]} absolute paths, sorted */
function filesBelow(/** @type {string} */ folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const full = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(full) : [full];
    });
}

/**
 * Runs `work` while no other script of this tree does. A folder is the lock, since nothing is installed yet that could
 * do better; one whose owner is gone is taken over.
 */
async function alone(/** @type {() => Promise<void>} */ work) {
  const lock = inRoot('.cache', 'prepare.lock');
  const owner = path.join(lock, 'pid');
  mkdirSync(path.dirname(lock), { recursive: true });
  for (let told = false; ; told = true) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      if (isAbandoned(lock, owner)) rmSync(lock, { recursive: true, force: true });
      else if (!told) process.stderr.write('· waiting for another run that prepares this folder …\n');
      await wait(250);
    }
  }
  writeFileSync(owner, String(process.pid));
  try {
    await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isAbandoned(/** @type {string} */ lock, /** @type {string} */ owner) {
  try {
    // The owner writes its number right after it made the folder: one without is either very young or a leftover.
    if (!existsSync(owner)) return Date.now() - statSync(lock).mtimeMs > 5_000;
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

function readJson(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Absent or half-written: both mean that it has to be made again.
    return undefined;
  }
}

/** Stops with a plain sentence on a Node that is too old to run anything of this project. */
export function checkNode() {
  const wanted = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);
  if (ownMajor < major || (ownMajor === major && ownMinor < minor))
    throw new StepFailed(
      `Tenure needs Node ${wanted} or later; this is ${process.version}. Install it from https://nodejs.org`,
    );
}
