import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { loadConfig } from '../../src/config/load.js';
import { developmentDirectory, directorySource, readDirectory } from '../../src/trust/directory-file.js';
import { automation, directoryOf, directoryYaml, person, securityKeyHolder } from '../support/signers.js';
import { wireKey } from './wire.js';
import { lineOf } from '../../src/trust/pem-signer.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-directory-'));
  file = join(folder, 'tenure.yaml');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ada = person('ada@example.com', { groups: ['platform'] });
const grace = securityKeyHolder('grace@example.com', { groups: ['security'], to: '2027-01-01T00:00:00.000Z' });
const ci = automation('ci/release', 'ada@example.com', { kind: 'service', key: 'jwk-p256' });
const everybody = directoryOf(ada, grace, ci);

const source = () => directorySource({ file, stateDirectory: join(folder, '.tenure') });
const problemsOf = async (yaml: string): Promise<string> => {
  await writeFile(file, yaml);
  const error: unknown = await source()
    .current()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TenureError);
  expect((error as TenureError).code).toBe('StoreUnavailable');
  return (error as TenureError).message.replaceAll(folder, '');
};

describe('the directory', () => {
  test('is what stands in the operator’s file', async () => {
    const timed = person('timed@example.com', { from: '2026-01-01T00:00:00.000Z' });
    const [key] = timed.party.keys;
    const ending = { ...timed.party, keys: [{ ...key!, to: '2027-01-01T00:00:00.000Z' }] };
    const directory = {
      parties: [...everybody.parties.slice(0, 2), ending, ...everybody.parties.slice(2)],
      revoked: ['d-1'],
    };
    await writeFile(file, directoryYaml(directory));
    expect(await source().current()).toEqual(directory);
    await expect(loadConfig(file)).resolves.toMatchObject({ file });
  });

  test('is read as people write it', async () => {
    const [first, second] = [lineOf(wireKey('ed25519').blob), lineOf(wireKey('p256').blob)];
    await writeFile(
      file,
      [
        'directory:',
        '  people:',
        '    - name: ada@example.com',
        '      groups: [platform]',
        '      keys:',
        `        - ${first} ada@laptop`,
        `        - { key: ${second}, from: 2026-01-01T00:00:00+01:00 }`,
        '      to: 2027-01-01T00:00:00Z',
        '  automations:',
        '    - { name: nightly, owner: ada@example.com }',
      ].join('\n'),
    );
    const { parties, revoked } = await source().current();
    expect(revoked).toEqual([]);
    expect(parties).toMatchObject([
      {
        name: 'ada@example.com',
        kind: 'person',
        to: '2027-01-01T00:00:00.000Z',
        keys: [{ text: `${first} ada@laptop` }, { text: second, from: '2025-12-31T23:00:00.000Z' }],
      },
      { name: 'nightly', kind: 'automation', owner: 'ada@example.com', groups: [], keys: [] },
    ]);
  });

  test('is read again whenever the file has changed, and a key that was taken out is nobody’s', async () => {
    const { current } = source();
    await writeFile(file, directoryYaml(everybody));
    const first = await current();
    expect(await current()).toMatchObject(first);
    await writeFile(file, directoryYaml(directoryOf(ada)));
    expect(await current()).toEqual(directoryOf(ada));
  });

  test('is not known while the file is gone, empty or broken, and known again once it is whole', async () => {
    const { current } = source();
    const code = () =>
      current().then(
        () => 'known',
        (error: unknown) => (error as TenureError).code,
      );
    expect(await code()).toBe('StoreUnavailable');
    for (const text of ['', 'directory: [', 'directory: []', '- a']) {
      await writeFile(file, text);
      expect(await code()).toBe('StoreUnavailable');
    }
    await writeFile(file, directoryYaml(everybody));
    expect(await code()).toBe('known');
    await rm(file);
    expect(await code()).toBe('StoreUnavailable');
  });

  test('of development counts only while the operator’s file names nobody', async () => {
    const own = developmentDirectory(join(folder, '.tenure'));
    await mkdir(dirname(own), { recursive: true });
    await writeFile(own, directoryYaml({ ...directoryOf(ada), revoked: ['d-1'] }));
    await writeFile(file, 'directory: { revoked: [d-2] }\n');
    expect(await source().current()).toEqual({ ...directoryOf(ada), revoked: ['d-2', 'd-1'] });
    await writeFile(file, directoryYaml(directoryOf(grace)));
    expect((await source().current()).parties).toEqual([grace.party]);
    await writeFile(file, 'targets: {}\n');
    await writeFile(own, 'directory: {');
    await expect(source().current()).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });

  test('that may be absent is empty, and one that may not is unknown', async () => {
    expect(await readDirectory(join(folder, 'none'), 'may be absent')).toEqual({ parties: [], revoked: [] });
    await expect(readDirectory(join(folder, 'none'))).rejects.toMatchObject({ code: 'StoreUnavailable' });
    await expect(readDirectory(folder, 'may be absent')).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });
});

describe('a directory is refused, with the place and what to do,', () => {
  const people = (...entries: string[]): string =>
    `directory:\n  people:\n${entries.map((one) => `    - ${one}\n`).join('')}`;
  const key = ada.key.text;

  test.each<[string, string, readonly string[]]>([
    [
      'that has the same name twice',
      people('{ name: ada@x }', '{ name: ada@x }'),
      ['tenure.yaml:4:15', "the same as 'ada@x'"],
    ],
    [
      'that has a name twice for whoever reads it',
      people('{ name: ada@x }', '{ name: Ada@X }'),
      ['people[1].name', "the same as 'ada@x'"],
    ],
    ['that has a name twice in other letters', people('{ name: ada@x }', '{ name: ａda@x }'), ['people[1].name']],
    ['that has a name with a space', people('{ name: ada lovelace }'), ['without spaces']],
    [
      'that gives one key to two',
      people(`{ name: a, keys: ['${key}'] }`, `{ name: b, keys: ['${key} again'] }`),
      ['people[1].keys[0]', "already that of 'a'"],
    ],
    [
      'that has one key twice',
      people(`{ name: a, keys: ['${key}', '${key}'] }`),
      ['people[0].keys[1]', "already that of 'a'"],
    ],
    [
      'with a key that is none',
      people('{ name: a, keys: [ssh-ed25519 AAAA] }'),
      ['tenure.yaml:3:25', 'no public key of OpenSSH', '.pub file'],
    ],
    [
      'with an RSA key that is weak',
      people(`{ name: a, keys: ['${weakRsa()}'] }`),
      ['2048 to 8192 bits, this one has 1024'],
    ],
    [
      'with a key of a kind that is not taken',
      people('{ name: a, keys: [ssh-dss AAAA] }'),
      ['not taken; these are: ssh-ed25519'],
    ],
    ['with a field that is none', people('{ name: a, group: [] }'), ["Did you mean 'groups'?"]],
    ['with an automation that nobody answers for', 'directory: { automations: [{ name: a }] }', ["'owner' is missing"]],
    [
      'with an automation of an unknown owner',
      `${people('{ name: a }')}  automations: [{ name: b, owner: c }]`,
      ['automations[0].owner', 'none of the people'],
    ],
    [
      'with an automation that answers for another',
      `${people('{ name: a }')}  automations: [{ name: b, owner: a }, { name: c, owner: b }]`,
      ['automations[1].owner'],
    ],
    [
      'with an automation that is a person',
      `${people('{ name: a }')}  automations: [{ name: b, owner: a, kind: person }]`,
      ['expected one of service, agent, automation'],
    ],
    [
      'with a JWK that is none',
      people('{ name: a, keys: [{ jwk: { kty: OKP } }] }'),
      ['no public JWK: its crv is missing'],
    ],
    ['with an instant that is none', people('{ name: a, to: 2027-02-30T00:00:00Z }'), ['people[0].to']],
  ])('%s', async (_, yaml, words) => {
    const told = await problemsOf(yaml);
    for (const word of words) expect(told).toContain(word);
    expect(told).toMatch(/tenure\.yaml:\d+:\d+ directory/);
  });

  test('that has a private key in it, without repeating it', async () => {
    const { pem } = person('x');
    const secret = pem!.split('\n')[1]!;
    const written = `directory:\n  people:\n    - name: a\n      keys:\n        - |\n${pem!.replaceAll(/^/gm, '          ')}\n`;
    const told = await problemsOf(written);
    expect(told).toContain('looks like a secret');
    expect(told).not.toContain(secret);
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', d: secret };
    const toldToo = await problemsOf(people(`{ name: a, keys: [{ jwk: ${JSON.stringify(jwk)} }] }`));
    expect(toldToo).toContain('it holds a private key');
    expect(toldToo).not.toContain(secret);
  });
});

function weakRsa(): string {
  const modulus = Buffer.alloc(128, 0xff);
  const strings = [Buffer.from('ssh-rsa'), Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), modulus])];
  const lengthOf = (bytes: Buffer): Buffer => Buffer.from([0, 0, 0, bytes.length]);
  return `ssh-rsa ${Buffer.concat(strings.flatMap((one) => [lengthOf(one), one])).toString('base64')}`;
}
