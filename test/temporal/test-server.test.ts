import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { temporalTestServer, testServerVersion } from '../../src/temporal/test-server.js';
import { describeUnless, testServerMissing } from '../support/machine.js';
import { downloadService, EmptyMachine } from './machines.js';

describe('the time-skipping test server', () => {
  let machine: EmptyMachine;
  beforeEach(async () => void (machine = await EmptyMachine.make()));
  afterEach(() => machine.remove());

  test('is the one that TENURE_TEMPORAL_TEST_SERVER names', async () => {
    machine.env['TENURE_TEMPORAL_TEST_SERVER'] = await machine.script('mine', 'exit 0');
    expect(await temporalTestServer(machine)).toBe(machine.env['TENURE_TEMPORAL_TEST_SERVER']);
  });

  test('is what the download service recommends to our SDK release, and stays in the cache', async () => {
    const service = await downloadService(machine, 'temporal-test-server', 'exit 0');
    const downloaded = await temporalTestServer(machine);
    await service.close();
    expect(service.asked[0]).toMatch(/^\/temporal-test-server\/default\?.*sdk-name=sdk-typescript&sdk-version=1\./);
    machine.heard.length = 0;
    expect(await temporalTestServer(machine)).toBe(downloaded);
    expect(machine.heard).toEqual([]);
  });

  test('comes from Maven Central behind a script when nothing can be downloaded', async () => {
    await machine.script('tools/temporal-test-server/pom.xml', '');
    await machine.script('bin/java', 'echo "java $*"');
    await machine.script('bin/mvn', 'echo "$*" > "$TENURE_CACHE/../asked"');
    const script = await readFile(await temporalTestServer(machine), 'utf8');
    expect(script).toMatch(/exec java .* io\.temporal\.testserver\.TestServer "\$@"/);
    expect(await readFile(path.join(machine.folder, 'asked'), 'utf8')).toMatch(
      /copy-dependencies -DincludeScope=runtime/,
    );
  });

  test('that needs Java is not taken from the cache where Java is gone', async () => {
    await machine.script(`cache/temporal-test-server-${testServerVersion}/temporal-test-server`, 'exec java');
    await expect(temporalTestServer(machine)).rejects.toThrow('needs Java, which is not installed');
  });

  test('that is not to be had names the package to install', async () => {
    await machine.script('tools/temporal-test-server/pom.xml', '');
    await expect(temporalTestServer(machine)).rejects.toThrow(
      /java and mvn not installed \(`sudo apt-get install -y default-jre-headless maven`\)/,
    );
  });

  test('is pinned to the release that the Maven project names', async () => {
    const pom = await readFile(path.join(packageRoot, 'tools/temporal-test-server/pom.xml'), 'utf8');
    expect(pom).toContain(`<version>${testServerVersion}</version>`);
  });
});

describeUnless(testServerMissing, 'the real time-skipping test server', () => {
  test('lets a month pass at once', async () => {
    const executable = { type: 'existing-path', path: await temporalTestServer() } as const;
    // The SDK waits five seconds for its start; Java on a busy machine takes longer the first time.
    const start = () => TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
    const environment = await vi.waitFor(start, { timeout: 50_000 });
    const before = await environment.currentTimeMs();
    await environment.sleep('30 days');
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(30 * 86_400_000);
    await environment.teardown();
  });
});
