/**
 * Programs that some tests run and npm does not bring. On a build machine (CI=true, root, apt-get) what is missing is
 * installed; elsewhere it is named with the command that installs it, and the tests that need it are skipped.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { run, step, StepFailed } from './progress.mjs';

/** Debian keeps the server's programs off the PATH, in a folder for each major version. */
const postgresFolders = () =>
  existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').map((version) => path.join('/usr/lib/postgresql', version, 'bin'))
    : [];

/**
 * @typedef {object} SystemPackage
 * @property {string} binary
 * @property {string} apt
 * @property {string} why
 * @property {() => string[]} [folders] where to look besides the PATH
 * @property {boolean} [onlyOffline] needed only where Temporal's download service can't be reached
 */

/** @type {readonly SystemPackage[]} */
export const systemPackages = [
  { binary: 'postgres', apt: 'postgresql', why: 'the tests on Debian’s PostgreSQL', folders: postgresFolders },
  { binary: 'chromium', apt: 'chromium', why: 'the tests that read the Temporal UI in a browser' },
  { binary: 'go', apt: 'golang-go', why: 'building the Temporal server', onlyOffline: true },
  { binary: 'java', apt: 'default-jre-headless', why: 'the time-skipping test server', onlyOffline: true },
  { binary: 'mvn', apt: 'maven', why: 'fetching the time-skipping test server', onlyOffline: true },
];

/**
 * Installs what is missing where that is allowed, and answers what is missing still, each as one sentence.
 *
 * @returns {Promise<string[]>}
 */
export async function provideSystemPackages() {
  const offline = lazily(isDownloadServiceUnreachable);
  const missing = [];
  for (const entry of systemPackages)
    if (!isPresent(entry) && !(entry.onlyOffline && (hasTemporal(entry) || !(await offline())))) missing.push(entry);
  if (missing.length === 0) return [];
  if (!mayInstall()) return missing.map((entry) => sentence(entry, 'it is not installed'));
  const reason = await install(missing.map((entry) => entry.apt));
  return missing.filter((entry) => !isPresent(entry)).map((entry) => sentence(entry, reason));
}

/** @returns {Promise<string>} why something may be missing still */
async function install(/** @type {string[]} */ packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await step(`installing ${packages.join(', ')} (apt-get)`, async () => {
      await run('apt-get', ['update', '-q'], { env });
      await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], { env });
    });
    return 'its package does not hold it';
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return 'apt-get could not install it (its output is above)';
  }
}

const sentence = (/** @type {SystemPackage} */ { binary, apt, why }, /** @type {string} */ reason) =>
  `${binary}, for ${why}: ${reason}. Debian and Ubuntu: sudo apt-get install -y ${apt}`;

const mayInstall = () => process.env['CI'] === 'true' && process.getuid?.() === 0 && onPath('apt-get');

const isPresent = (/** @type {SystemPackage} */ { binary, folders }) => onPath(binary, folders?.());

const onPath = (/** @type {string} */ binary, /** @type {string[]} */ more = []) =>
  [...(process.env['PATH'] ?? '').split(path.delimiter), ...more].some((folder) =>
    existsSync(path.join(folder, binary)),
  );

/** Says whether a Temporal server was named or is installed, so that nothing has to be built. */
const hasTemporal = (/** @type {SystemPackage} */ { binary }) =>
  binary === 'go'
    ? Boolean(process.env['TENURE_TEMPORAL_CLI']) || onPath('temporal')
    : Boolean(process.env['TENURE_TEMPORAL_TEST_SERVER']);

async function isDownloadServiceUnreachable() {
  try {
    await fetch('https://temporal.download/', { method: 'HEAD', signal: AbortSignal.timeout(4_000) });
    return false;
  } catch {
    return true;
  }
}

/**
 * @template T
 * @param {() => T} make
 */
function lazily(make) {
  /** @type {{ value: T } | undefined} */
  let made;
  return () => (made ??= { value: make() }).value;
}
