import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { cliVersion, temporalCli } from '../../src/temporal/binary.js';
import { cachedPath } from '../../src/temporal/cache.js';
import { downloadService, EmptyMachine, saysVersion } from './machines.js';

const entry = { name: `temporal-${cliVersion}`, program: 'temporal' };

/** Puts a Go on the machine whose "build" is a CLI that runs, after `before`. */
async function fakeGo(machine: EmptyMachine, before: string): Promise<void> {
  const result = await machine.script('result', saysVersion('1.29.1'));
  await machine.script('tools/temporal/go.mod', '');
  await machine.script('bin/go', `${before}\nwhile [ "$1" != "-o" ]; do shift; done\n/bin/cp "${result}" "$2"`);
}

describe('the Temporal CLI', () => {
  let machine: EmptyMachine;
  beforeEach(async () => void (machine = await EmptyMachine.make()));
  afterEach(() => machine.remove());

  test('is the one that TENURE_TEMPORAL_CLI names, whatever else is there', async () => {
    await machine.script('bin/temporal', saysVersion('1.30.0'));
    machine.env['TENURE_TEMPORAL_CLI'] = await machine.script('mine', saysVersion('1.29.1'));
    expect(await temporalCli(machine)).toBe(machine.env['TENURE_TEMPORAL_CLI']);
    expect(machine.heard).toEqual([]);
  });

  test('is the one on the PATH when none is named', async () => {
    const onPath = await machine.script('bin/temporal', saysVersion('1.30.0'));
    await machine.script(`cache/${entry.name}/temporal`, saysVersion('1.29.1'));
    expect(await temporalCli(machine)).toBe(onPath);
  });

  test('is not the one on the PATH when its server is too old', async () => {
    await machine.script('bin/temporal', saysVersion('1.28.3'));
    const cached = await machine.script(`cache/${entry.name}/temporal`, saysVersion('1.29.1'));
    expect(await temporalCli(machine)).toBe(cached);
  });

  test('comes from the cache in silence', async () => {
    const cached = await machine.script(`cache/${entry.name}/temporal`, saysVersion('1.29.1'));
    expect(await temporalCli(machine)).toBe(cached);
    expect(machine.heard).toEqual([]);
  });

  test('is downloaded at the pinned version into the cache, after every miss was told', async () => {
    const service = await downloadService(machine, 'temporal', saysVersion('1.29.1'));
    machine.env['TENURE_TEMPORAL_CLI'] = path.join(machine.folder, 'gone');
    expect(await temporalCli(machine)).toBe(cachedPath(entry, machine));
    await service.close();
    expect(service.asked[0]).toMatch(`/cli/v${cliVersion}?`);
    expect(machine.heard.join('\n')).toMatch(
      /TENURE_TEMPORAL_CLI names .*gone, which is not there\n.*not on the PATH\n.*the cache has no .*\n.*next, Temporal’s download service/,
    );
  });

  test('is not taken from a download that does not run', async () => {
    const service = await downloadService(machine, 'temporal', 'exit 3');
    await expect(temporalCli(machine)).rejects.toThrow("what was downloaded can't be run");
    await service.close();
    expect(existsSync(cachedPath(entry, machine))).toBe(false);
  });

  test('is built without C from the module that the project carries when nothing can be downloaded', async () => {
    await fakeGo(machine, 'echo "$CGO_ENABLED $PWD $*" > "$TENURE_CACHE/../asked"');
    expect(await temporalCli(machine)).toBe(cachedPath(entry, machine));
    const asked = await readFile(path.join(machine.folder, 'asked'), 'utf8');
    expect(asked).toMatch(/^0 .*tools\/temporal build -trimpath -ldflags -s -w -o .*cmd\/temporal\n$/);
    expect(machine.heard.at(-1)).toMatch(/^building the Temporal CLI/);
  });

  test('is built once when two processes look for it at the same time', async () => {
    await fakeGo(machine, 'echo built >> "$TENURE_CACHE/../count"; /bin/sleep 1');
    const [one, other] = await Promise.all([temporalCli(machine), temporalCli(machine)]);
    expect(one).toBe(other);
    expect(await readFile(path.join(machine.folder, 'count'), 'utf8')).toBe('built\n');
  });

  test('that failed to build leaves nothing in the cache and shows what Go said', async () => {
    await machine.script('tools/temporal/go.mod', '');
    await machine.script('bin/go', 'echo half > "$TENURE_CACHE/half"; echo "no space left" >&2; exit 1');
    await expect(temporalCli(machine)).rejects.toThrow('no space left');
    expect(existsSync(path.dirname(cachedPath(entry, machine)))).toBe(false);
  });

  test('that is not to be had anywhere is an answer within seconds: every miss, then what can be done', async () => {
    const refusal = temporalCli(machine);
    await expect(refusal).rejects.toMatchObject({ code: 'InvalidRequest' });
    const { message } = (await refusal.catch((error: unknown) => error)) as Error;
    for (const part of [
      'TENURE_TEMPORAL_CLI is not set',
      'not on the PATH',
      'the cache has no',
      'ECONNREFUSED',
      'Go module',
    ])
      expect(message).toContain(part);
    expect(message).toContain('Any one of these helps:\n  - install the Temporal CLI');
  }, 10_000);

  test('is not waited for when the download service is silent', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    machine.service = `http://127.0.0.1:${(mute.address() as { port: number }).port}`;
    await expect(temporalCli(machine)).rejects.toThrow('no answer within 5 s');
    mute.close();
  }, 10_000);

  test('is pinned to the release that the Go module names', async () => {
    const module = await readFile(path.join(packageRoot, 'tools/temporal/go.mod'), 'utf8');
    expect(module).toContain(`github.com/temporalio/cli v${cliVersion} `);
  });
});
