/** Against OpenSSH itself, in both directions: what it signs is taken here, and what is signed here it takes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSshKey, readSshKeyLine } from '../../src/trust/ssh-key.js';
import { readSshsig, signSshsig } from '../../src/trust/sshsig.js';
import { lineOf } from '../../src/trust/pem-signer.js';
import { freshPair, keyFlags, securityKey } from '../support/signers.js';
import { sshBlobOf } from '../../src/trust/ssh-key.js';
import { describeUnless } from '../support/machine.js';
import { opensshMissing } from './openssh.js';
import { refusalOf } from './refusals.js';

const message = Buffer.from('{"typ":"tenure/request@v1"}');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-ssh-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const keygen = (args: readonly string[], input?: Buffer): string =>
  execFileSync('ssh-keygen', [...args], {
    ...(input && { input }),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  });

async function verifiedByOpenssh(line: string, armored: string, over = message): Promise<boolean> {
  await writeFile(join(folder, 'allowed'), `ada namespaces="tenure" ${line}\n`);
  await writeFile(join(folder, 'signature'), armored);
  const files = ['-f', join(folder, 'allowed'), '-s', join(folder, 'signature')];
  const { status } = spawnSync('ssh-keygen', ['-Y', 'verify', '-n', 'tenure', '-I', 'ada', ...files], { input: over });
  return status === 0;
}

describeUnless(opensshMissing, 'what ssh-keygen signs', () => {
  const kinds = [
    ['ed25519', []],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
    ['rsa', ['-b', '2048']],
    ['rsa', ['-b', '3072']],
  ] as const;

  test.each(kinds)(
    'with a new key of type %s %j is taken, and the key has the id that it prints',
    async (type, more) => {
      const file = join(folder, [type, ...more].join(''));
      keygen(['-q', '-t', type, ...more, '-N', '', '-C', 'a comment', '-f', file]);
      const line = (await readFile(`${file}.pub`, 'utf8')).trim();
      expect(keygen(['-l', '-f', `${file}.pub`])).toContain(` ${readSshKeyLine(line).id} `);
      for (const hash of ['sha256', 'sha512']) {
        const armored = keygen(['-Y', 'sign', '-n', 'tenure', '-O', `hashalg=${hash}`, '-f', file], message);
        const read = readSshsig(armored);
        expect(read.isOf(message)).toBe(true);
        expect(read.isOf(Buffer.from('another'))).toBe(false);
        expect(read).toMatchObject({ keyId: readSshKeyLine(line).id, presence: 'none' });
      }
      const forGit = keygen(['-Y', 'sign', '-n', 'git', '-f', file], message);
      expect(await refusalOf(() => readSshsig(forGit))).toBe('wrong-namespace');
    },
  );

  test('with a certificate is refused', async () => {
    const [authority, file] = [join(folder, 'authority'), join(folder, 'certified')];
    for (const one of [authority, file]) keygen(['-q', '-t', 'ed25519', '-N', '', '-f', one]);
    keygen(['-q', '-s', authority, '-I', 'ada', '-n', 'ada', `${file}.pub`]);
    const line = await readFile(`${file}-cert.pub`, 'utf8');
    expect(() => readSshKeyLine(line)).toThrow('certificates are not taken');
    // Only with an agent does ssh-keygen sign with the certificate itself; the key's own signature is good.
    expect(readSshsig(keygen(['-Y', 'sign', '-n', 'tenure', '-f', file], message)).isOf(message)).toBe(true);
  });
});

describeUnless(opensshMissing, 'what is signed here', () => {
  test.each(['ed25519', 'p256', 'p384', 'p521', 'rsa'] as const)(
    'with a key of kind %s, ssh-keygen takes',
    async (kind) => {
      const { privateKey, publicKey } = freshPair(kind);
      const line = lineOf(sshBlobOf(publicKey)!);
      const armored = signSshsig(privateKey, publicKey, message);
      expect(await verifiedByOpenssh(line, armored)).toBe(true);
      expect(await verifiedByOpenssh(line, armored, Buffer.from('another'))).toBe(false);
    },
  );

  test.each(['ed25519', 'p256'] as const)(
    'with a simulated security key on %s, ssh-keygen takes, touched or not, and here its flags are told',
    async (curve) => {
      const device = securityKey(curve);
      const line = `${readSshKey(device.blob).type} ${device.blob.toString('base64')}`;
      for (const [flags, presence] of [
        [keyFlags.none, 'none'],
        [keyFlags.touched, 'touch'],
        [keyFlags.touchedAndUnlocked, 'pin'],
      ] as const) {
        const armored = device.sign(message, flags);
        expect(await verifiedByOpenssh(line, armored)).toBe(true);
        expect(readSshsig(armored)).toMatchObject({ presence });
      }
    },
  );
});
