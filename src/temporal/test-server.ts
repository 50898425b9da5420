/** Finds the time-skipping test server, in which a month passes in milliseconds; fetches it where it is missing. */
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { packageRoot } from '../package-root.js';
import { cachedPath, fillEntry } from './cache.js';
import { isExecutable, onPath, runCommand } from './commands.js';
import { download } from './download.js';
import { progressOn } from './progress.js';
import { firstOf, thisMachine, type Answer, type Machine, type Source } from './sources.js';

/** Release of the test server. It goes with `tools/temporal-test-server/pom.xml`, which a test compares. */
export const testServerVersion = '1.38.0';

const program = 'the time-skipping test server';
const windows = process.platform === 'win32';
/** Fetched by the SDK's recommendation: a program without needs. */
const native = {
  name: `temporal-test-server-for-sdk-${sdkVersion()}`,
  program: windows ? 'temporal-test-server.exe' : 'temporal-test-server',
};
/** Fetched from Maven Central: Java archives behind a small script. */
const onJava = { name: `temporal-test-server-${testServerVersion}`, program: 'temporal-test-server' };

/** Starts a short-lived server: little optimisation and the plain collector start fastest. */
const script = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

const sources: readonly Source[] = [
  { title: 'TENURE_TEMPORAL_TEST_SERVER', find: named },
  { title: 'the cache', find: cached },
  { title: 'Temporal’s download service', slow: true, find: downloaded },
  { title: 'Maven Central', slow: true, find: fromMaven },
];

const remedies = [
  'set TENURE_TEMPORAL_TEST_SERVER to the path of a temporal-test-server',
  'let this machine reach https://temporal.download, once',
  'install Java 17 and Maven (`sudo apt-get install -y default-jre-headless maven`) and let Maven reach Maven Central',
];

/**
 * Gives the path of the time-skipping test server: named, cached, downloaded, or put together from Maven Central, in
 * this order. Only tests use it.
 *
 * @throws TenureError `InvalidRequest` that lists every miss and what can be done.
 */
export function temporalTestServer(machine: Machine = thisMachine(progressOn())): Promise<string> {
  return firstOf(program, sources, remedies, machine);
}

async function named({ env }: Machine): Promise<Answer> {
  const file = env['TENURE_TEMPORAL_TEST_SERVER'];
  if (!file) return { miss: 'TENURE_TEMPORAL_TEST_SERVER is not set' };
  return isExecutable(file)
    ? { path: file }
    : { miss: `TENURE_TEMPORAL_TEST_SERVER names ${file}, which can't be run` };
}

async function cached(machine: Machine): Promise<Answer> {
  if (isExecutable(cachedPath(native, machine))) return { path: cachedPath(native, machine) };
  if (!isExecutable(cachedPath(onJava, machine))) return { miss: `the cache has no ${cachedPath(onJava, machine)}` };
  return onPath('java', machine.env)
    ? { path: cachedPath(onJava, machine) }
    : { miss: 'the cached one needs Java, which is not installed' };
}

function downloaded(machine: Machine): Promise<Answer> {
  return fillEntry(native, machine, async (folder) => {
    const to = path.join(folder, native.program);
    return machine.progress.during(
      'downloading the time-skipping test server',
      () =>
        download({
          artifact: 'temporal-test-server',
          version: { sdkVersion: sdkVersion() },
          to,
          from: machine.service,
        }),
      (miss) => !miss,
    );
  });
}

async function fromMaven(machine: Machine): Promise<Answer> {
  const pom = path.join(machine.tools, 'temporal-test-server', 'pom.xml');
  if (windows) return { miss: 'on Windows it can’t be put together from Maven Central' };
  if (!existsSync(pom)) return { miss: 'this installation does not carry the Maven project' };
  const missing = ['java', 'mvn'].filter((name) => !onPath(name, machine.env));
  if (missing.length > 0)
    return { miss: `${missing.join(' and ')} not installed (\`sudo apt-get install -y default-jre-headless maven\`)` };
  return fillEntry(onJava, machine, async (folder) => {
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    const args = [
      '-q',
      '-B',
      '-f',
      pom,
      goal,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${path.join(folder, 'lib')}`,
    ];
    const { ok, complaint } = await machine.progress.during(
      'fetching the time-skipping test server with Maven',
      () => runCommand('mvn', args, { env: machine.env, timeoutMs: 10 * 60_000 }),
      (ended) => ended.ok,
    );
    if (!ok) return { miss: `Maven failed:\n    ${complaint.replaceAll('\n', '\n    ')}` };
    await writeFile(path.join(folder, onJava.program), script, { mode: 0o755 });
    return undefined;
  });
}

function sdkVersion(): string {
  const { dependencies } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  return dependencies['@temporalio/worker']!;
}
