import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findConfig } from '../../src/config/find.js';
import { loadConfig, loadFreezes } from '../../src/config/load.js';
import type { TenureError } from '../../src/domain/errors.js';

const connectorSchemas = {
  targets: {
    fake: z.strictObject({
      type: z.literal('fake'),
      host: z.string(),
      password: z.strictObject({ env: z.string() }).optional(),
    }),
  },
  stores: { local: z.strictObject({ type: z.literal('local'), directory: z.string() }) },
};

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'tenure-config-'))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function write(text: string): Promise<string> {
  const file = join(folder, 'tenure.yaml');
  await writeFile(file, text);
  return file;
}

async function load(text: string) {
  return loadConfig(await write(text), { connectorSchemas });
}

async function refusal(text: string): Promise<string[]> {
  const error = await load(text).then(
    () => new Error('it was taken'),
    (caught: unknown) => caught as TenureError,
  );
  expect(error).toMatchObject({ code: 'InvalidRequest' });
  return error.message.split('\n').map((line) => line.trim().replace(join(folder, 'tenure.yaml'), 'tenure.yaml'));
}

describe("the operator's file", () => {
  it('fills in every default, and makes its own paths absolute', async () => {
    const file = join(folder, 'tenure.yaml');
    const text =
      'targets: { db: { type: fake, host: h } }\nstores: { local: { type: local, directory: s } }\nconsumers: { signingKey: { file: keys/sign }, programs: [/bin/true], folders: [out, /run/app] }\n';
    expect(await load(text)).toEqual({
      file,
      stateDirectory: join(folder, '.tenure'),
      targets: { db: { type: 'fake', host: 'h' } },
      stores: { local: { type: 'local', directory: 's' } },
      consumers: {
        signingKey: { file: join(folder, 'keys/sign') },
        programs: ['/bin/true'],
        folders: [join(folder, 'out'), '/run/app'],
        hosts: [],
      },
      policy: { productionEnvironments: ['production'], gateMs: 86_400_000, unusedAfterMs: 30 * 86_400_000 },
      automation: { name: 'automation/tenure' },
      evidence: { name: 'tenure', log: { directory: join(folder, '.tenure', 'evidence') } },
      exceptions: {
        life: 30 * 86_400_000,
        gate: 3 * 86_400_000,
        checkEvery: 3_600_000,
        hosts: [],
        commands: {},
      },
      review: expect.objectContaining({ every: 86_400_000, reciprocal: 2, expiring: 7 * 86_400_000 }),
      freezes: [],
      notices: {},
      fleet: { perTarget: 4 },
    });
  });

  it('may be empty', async () => {
    expect((await load('')).targets).toEqual({});
    expect((await load('# nothing yet\n')).policy.gateMs).toBe(86_400_000);
    expect((await load('policy: { path: rules }\n')).policy).toEqual({
      path: join(folder, 'rules'),
      productionEnvironments: ['production'],
      gateMs: 86_400_000,
      unusedAfterMs: 2_592_000_000,
    });
  });

  it('is refused with every problem, each with its line, what was expected and what to do', async () => {
    const text = [
      'polcy: {}',
      'targets:',
      '  db: { type: fake }',
      '  db2: { type: fak, host: h }',
      '  db3: h',
      'stores: { local: { type: local, directory: s, colour: red } }',
      'policy: { approvals: 2, gate: soon }',
      'fleet: { perTarget: 0 }',
    ].join('\n');
    expect(await refusal(text)).toEqual([
      'tenure.yaml has 8 problems:',
      "tenure.yaml:1:1 polcy: 'polcy' is not a field here. Did you mean 'policy'?",
      "tenure.yaml:3:3 targets.db.host: 'host' is missing. Add it: text.",
      "tenure.yaml:4:16 targets.db2.type: there is no type 'fak' of targets. Did you mean 'fake'?",
      "tenure.yaml:5:8 targets.db3: expected a mapping with a type, found 'h'. Add `type`. Known: fake.",
      "tenure.yaml:6:47 stores.local.colour: 'colour' is not a field here. Did you mean 'directory'?".replace(
        "Did you mean 'directory'?",
        'Known: type, directory.',
      ),
      "tenure.yaml:7:11 policy.approvals: 'approvals' is not a field here. Known: path, productionEnvironments, gate, unusedAfter.",
      "tenure.yaml:7:31 policy.gate: expected a duration between 1m and 30d, such as 30d, 12h or 1h30m, found 'soon'. Write whole numbers with d, h, m or s, the largest first.",
      'tenure.yaml:8:21 fleet.perTarget: expected at least 1. Change it to fit.',
    ]);
  });

  it('is no place for a secret, which is not repeated; naming where a secret is kept is fine', async () => {
    const found = (
      await refusal('targets: { db: { type: fake, host: "postgres://u:swordfish@h/x", password: swordfish } }\n')
    ).join('\n');
    expect(found).toContain('targets.db.password: this looks like a secret');
    expect(found).toContain('targets.db.host: this looks like a secret');
    expect(found).not.toContain('swordfish');
    expect(
      (await load('targets: { db: { type: fake, host: h, password: { env: DB_PASSWORD } } }\n')).targets['db'],
    ).toBeDefined();
  });

  it('is one document of legal YAML', async () => {
    expect(await refusal('targets: {}\n---\nstores: {}\n')).toContain(
      'tenure.yaml:3:1: a second document. Keep the whole configuration in one.',
    );
    expect(await refusal('targets: [\n')).toContain(
      'tenure.yaml:2:1: indentation that does not fit what stands above. Line it up with its neighbours, and close every bracket.',
    );
    expect(await refusal('- a\n')).toEqual([
      'tenure.yaml has a problem:',
      expect.stringContaining('expected a mapping, found a list'),
    ]);
  });

  it('gives its problems as data, too', async () => {
    const error = (await load('polcy: {}\n').catch((caught: unknown) => caught)) as TenureError;
    expect(error.facts['problems']).toMatchObject([{ line: 1, column: 1, path: 'polcy' }]);
  });

  it('is checked with the registered connectors unless others are given', async () => {
    const file = await write(
      'targets: { db: { type: postgresql, host: h, colour: red } }\nstores: { s: { type: local } }\n',
    );
    const { message } = (await loadConfig(file).catch((caught: unknown) => caught)) as TenureError;
    expect(message).toContain('targets.db.colour');
    expect(message).toContain('stores.s.directory');
  });
});

describe("where the operator's file is looked for", () => {
  it('is the path that was asked for, then TENURE_CONFIG, then the nearest folder upward', async () => {
    await write('');
    const cwd = join(folder, 'a', 'b');
    await mkdir(cwd, { recursive: true });
    const env = { TENURE_CONFIG: '../other.yaml' };
    expect(await findConfig('mine.yaml', { cwd, env })).toBe(join(cwd, 'mine.yaml'));
    expect(await findConfig(undefined, { cwd, env })).toBe(join(folder, 'a', 'other.yaml'));
    expect(await findConfig(undefined, { cwd, env: { TENURE_CONFIG: '' } })).toBe(join(folder, 'tenure.yaml'));
  });

  it('says what to do when there is none', async () => {
    await expect(findConfig(undefined, { cwd: folder, env: {} })).rejects.toThrow(
      /There is no tenure.yaml in this folder or above it. Run `tenure dev`/,
    );
    await expect(loadConfig(join(folder, 'gone.yaml'))).rejects.toThrow('there is no such file');
  });
});

describe('the freezes of now', () => {
  const freeze = { from: '2026-12-24T00:00:00.000Z', to: '2027-01-02T00:00:00.000Z', reason: 'year end' };

  it('are read anew each time, whatever else is wrong in the file', async () => {
    const file = await write('colour: red\n');
    expect(await loadFreezes(file)).toEqual([]);
    await write('colour: red\nfreezes: [{ from: 2026-12-24T00:00:00Z, to: 2027-01-02T00:00:00Z, reason: year end }]\n');
    expect(await loadFreezes(file)).toEqual([freeze]);
  });

  it.each([
    ['is broken', 'freezes: ['],
    ['holds a freeze that cannot be read', 'freezes: [{ from: tomorrow }]'],
    ['is no mapping', '- freezes'],
    ['is empty', ''],
  ])('are unknown when the file %s: that is retried, and never taken for "no freeze"', async (_title, text) => {
    const file = await write(text);
    await expect(loadFreezes(file)).rejects.toMatchObject({
      code: 'StoreUnavailable',
      message: expect.stringContaining('so nothing changes'),
    });
  });

  it('are unknown when the file is gone', async () => {
    await expect(loadFreezes(join(folder, 'gone.yaml'))).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });
});
