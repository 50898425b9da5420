import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClient, connectWorker, whereTo } from '../../src/temporal/connection.js';
import { freePorts } from '../../src/temporal/ports.js';

describe('where a connection goes', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tenure-profiles-'));
    await writeFile(
      path.join(folder, 'temporal.toml'),
      '[profile.default]\naddress = "one.example:7233"\n[profile.staging]\naddress = "two.example:7233"\nnamespace = "staging"\n',
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const file = () => ({ TEMPORAL_CONFIG_FILE: path.join(folder, 'temporal.toml') });

  test('is this machine and the default namespace when nothing says otherwise', () => {
    expect(whereTo({ env: { TEMPORAL_CONFIG_FILE: path.join(folder, 'none.toml') } })).toMatchObject({
      address: 'localhost:7233',
      namespace: 'default',
    });
  });

  test('is the profile of temporal.toml, named by option or by variable', () => {
    expect(whereTo({ env: file() })).toMatchObject({ address: 'one.example:7233', namespace: 'default' });
    expect(whereTo({ env: file(), profile: 'staging' })).toMatchObject({
      address: 'two.example:7233',
      namespace: 'staging',
    });
    expect(whereTo({ env: { ...file(), TEMPORAL_PROFILE: 'staging' } })).toMatchObject({ namespace: 'staging' });
  });

  test('takes nothing from variables and profiles, their keys least of all, when it stands alone', () => {
    const env = { ...file(), TEMPORAL_API_KEY: 'planted-key', TEMPORAL_NAMESPACE: 'elsewhere' };
    const alone = whereTo({ env, address: '127.0.0.1:7000', alone: true });
    expect(alone).toMatchObject({ address: '127.0.0.1:7000', namespace: 'default' });
    expect(JSON.stringify(alone)).not.toContain('planted-key');
    expect(JSON.stringify(whereTo({ env, address: '127.0.0.1:7000' }))).toContain('planted-key');
  });

  test('is the variable before the profile, and the option before both', () => {
    const env = { ...file(), TEMPORAL_ADDRESS: 'three.example:7233' };
    expect(whereTo({ env }).address).toBe('three.example:7233');
    expect(whereTo({ env, address: 'four.example:7233' }).address).toBe('four.example:7233');
  });

  test('that can’t be read is refused with the places to look at', () => {
    const options = { env: file(), profile: 'production' };
    expect(() => whereTo(options)).toThrow(/production.*Look at the TEMPORAL_\* variables and temporal\.toml/);
  });
});

describe('a server that does not answer', () => {
  test.each([['a client', connectClient] as const, ['a worker', connectWorker] as const])(
    'is named to %s with the next command',
    async (_who, connect) => {
      const { nobody } = await freePorts('nobody');
      const refusal = connect({ address: `127.0.0.1:${nobody}` });
      await expect(refusal).rejects.toMatchObject({ code: 'TargetUnavailable' });
      await expect(refusal).rejects.toThrow(
        `does not answer at 127.0.0.1:${nobody}. Start a server with \`tenure dev\``,
      );
    },
    8_000,
  );

  test('but holds the port does not hold anyone up', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    await expect(connectClient({ address: `127.0.0.1:${port}` })).rejects.toThrow('does not answer');
    mute.close();
  }, 8_000);
});
