import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadPlaces } from '../../src/config/places.js';
import { prepareKeys } from '../../src/cli/dev-folder.js';
import { requestOf, type ChangeOptions } from '../../src/cli/change.js';
import { complaintOf } from '../../src/cli/errors.js';
import { Output } from '../../src/cli/output.js';
import { openServices } from '../../src/cli/services.js';
import type { Session } from '../../src/cli/session.js';
import { signerOf } from '../../src/cli/signing.js';
import { directorySource } from '../../src/trust/directory-file.js';
import { verifyRequest } from '../../src/trust/requests.js';
import { directoryOf, directoryYaml, person } from '../support/signers.js';
import { pretend } from './support/terminal.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-signing-'));
  file = join(folder, 'tenure.yaml');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ada = person('ada@example.com');
function sessionIn(env: Record<string, string> = {}): Session {
  const { io } = pretend({ cwd: folder, env: { HOME: folder, TENURE_AS: ada.name, ...env } });
  return { io, out: new Output(io, false), services: openServices(io, undefined) };
}
const options: ChangeOptions = { wait: false, reason: 'a test', requestId: 'r-1' };

describe('a request of the command line', () => {
  test('is signed by whoever asks, with the key that --key or TENURE_KEY names', async () => {
    await writeFile(file, directoryYaml(directoryOf(ada)));
    await writeFile(join(folder, 'ada.pem'), ada.pem!, { mode: 0o600 });
    const asked = [
      await requestOf(sessionIn(), { ...options, key: 'ada.pem' }, 'payments-db', 'rotate'),
      await requestOf(sessionIn({ TENURE_KEY: join(folder, 'ada.pem') }), options, 'payments-db', 'rotate'),
    ];
    for (const request of asked) {
      expect(request).toMatchObject({ id: 'r-1', kind: 'rotate', requester: ada.name, reason: 'a test' });
      const attested = await verifyRequest(request, 'payments-db', { directory: directoryOf(ada), now: new Date() });
      expect(attested.name).toBe(ada.name);
    }
  });

  test('needs no part of the operator’s file but who there is and where the state lies', async () => {
    await writeFile(
      file,
      `stateDirectory: state\ntargets: { db: { type: nonsense } }\n${directoryYaml(directoryOf(ada))}`,
    );
    await mkdir(join(folder, 'state', 'keys'), { recursive: true });
    await writeFile(join(folder, 'state', 'keys', `${ada.name}.pem`), ada.pem!, { mode: 0o600 });
    expect((await signerOf(sessionIn(), {})).keyId).toBe(ada.keyId);
  });

  test('without a key says what to do, and asks for nothing', async () => {
    await writeFile(file, directoryYaml(directoryOf(ada)));
    const error: unknown = await signerOf(sessionIn(), {}).catch((thrown: unknown) => thrown);
    expect(complaintOf(error)).toMatchObject({ code: 'InvalidRequest', next: ['ssh-add -L'] });
    await writeFile(join(folder, 'other.pem'), person('x').pem!, { mode: 0o600 });
    const other: unknown = await signerOf(sessionIn(), { key: 'other.pem' }).catch((thrown: unknown) => thrown);
    expect(complaintOf(other)).toMatchObject({ code: 'InvalidRequest', next: ['tenure doctor'] });
  });

  test('without an operator’s file, or with one whose directory is broken, asks for nothing', async () => {
    await expect(signerOf(sessionIn(), {})).rejects.toMatchObject({ code: 'InvalidRequest' });
    await writeFile(file, 'directory: { people: [{ nam: x }] }\n');
    await expect(signerOf(sessionIn(), {})).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });
});

describe('where the state lies', () => {
  test.each([
    ['', '.tenure'],
    ['targets: {}', '.tenure'],
    ['stateDirectory: ../state', '../state'],
    ['- a list', '.tenure'],
  ])('is read from %j', async (text, expected) => {
    await writeFile(file, text);
    expect(await loadPlaces(file)).toEqual({ file, stateDirectory: join(folder, expected) });
  });

  test('is not guessed where the file does not say it well', async () => {
    await writeFile(file, 'stateDirectory: 7');
    await expect(loadPlaces(file)).rejects.toThrow('tenure.yaml:1:17 stateDirectory: expected text');
  });
});

describe('tenure dev', () => {
  test('makes keys with which the next command signs, once', async () => {
    await writeFile(file, 'stateDirectory: .tenure\n');
    expect(await prepareKeys(file, ada.name)).toHaveLength(3);
    expect(await prepareKeys(file, ada.name)).toEqual([]);
    const directory = await directorySource(await loadPlaces(file)).current();
    for (const as of [ada.name, 'second@localhost']) {
      const request = await requestOf(sessionIn(), { ...options, as }, 'payments-db', 'rotate');
      expect(await verifyRequest(request, 'payments-db', { directory, now: new Date() })).toMatchObject({ name: as });
    }
  });

  test('makes no keys where the operator’s file says who there is', async () => {
    await writeFile(file, directoryYaml(directoryOf(ada)));
    expect(await prepareKeys(file, ada.name)).toEqual([]);
    expect((await directorySource(await loadPlaces(file)).current()).parties).toEqual([ada.party]);
  });
});
