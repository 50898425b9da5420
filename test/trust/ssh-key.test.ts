import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readSshKey, readSshKeyLine, sshBlobOf } from '../../src/trust/ssh-key.js';
import { signSshsig } from '../../src/trust/sshsig.js';
import { WireError, wirePositive, wireString } from '../../src/trust/ssh-wire.js';
import { lineOf } from '../../src/trust/pem-signer.js';
import { wireKey } from './wire.js';

const { blob } = wireKey('ed25519');
const p256 = wireKey('p256').blob;
const line = lineOf(blob);
const rsaOf = (modulus: Buffer, exponent = Buffer.from([1, 0, 1])): Buffer =>
  Buffer.concat([wireString('ssh-rsa'), wirePositive(exponent), wirePositive(modulus)]);
const modulusOf = (bits: number): Buffer => {
  const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  bytes[0] = 0xff >> (bytes.length * 8 - bits);
  return bytes;
};
const pointOf = (from: (point: Buffer) => Buffer, curve = 'nistp256'): Buffer =>
  Buffer.concat([wireString('ecdsa-sha2-nistp256'), wireString(curve), wireString(from(p256.subarray(-65)))]);

describe('a line of a .pub file', () => {
  test.each([line, `${line} ada@laptop`, `${line} a comment of words`, `  ${line}\n`, line.replace(' ', '\t')])(
    'is read with and without its comment: %j',
    (written) => {
      expect(readSshKeyLine(written)).toMatchObject({ type: 'ssh-ed25519', blob });
    },
  );

  test.each([
    ['', 'not taken'],
    ['ssh-ed25519', 'not base64'],
    [`ssh-ed25519 ${blob.toString('base64')}==`, 'not base64'],
    [`ssh-ed25519 ${blob.toString('base64').slice(0, -1)}*`, 'not base64'],
    [`no-touch-required ${line}`, 'not taken'],
    [`ssh-rsa ${blob.toString('base64')}`, 'the key inside says ssh-ed25519'],
    ['ssh-dss AAAAB3NzaC1kc3M=', 'not taken'],
    [`ssh-ed25519-cert-v01@openssh.com ${blob.toString('base64')}`, 'certificates are not taken'],
    [`${line} x\n${line}`, 'one line'],
    ['__proto__ AAAA', 'not taken'],
    ['toString AAAA', 'not taken'],
  ])('is refused: %j, since %s', (written, why) => {
    expect(() => readSshKeyLine(written)).toThrow(WireError);
    expect(() => readSshKeyLine(written)).toThrow(why);
  });
});

describe('a key', () => {
  test.each<[string, Buffer, string]>([
    ['that is empty', Buffer.alloc(0), 'too early'],
    ['with a length beyond its end', Buffer.from([0xff, 0xff, 0xff, 0xff, 1]), 'too early'],
    ['with something after it', Buffer.concat([blob, Buffer.alloc(1)]), 'follows its end'],
    ['whose type has a byte that is no letter', wireString('ssh-ed25519\0'), 'no letters'],
    ['of 31 bytes', Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(31))]), '32 bytes'],
    ['whose curve is another', pointOf((point) => point, 'nistp384'), 'not that of the type'],
    [
      'whose point is compressed',
      pointOf((point) => Buffer.concat([Buffer.from([2]), point.subarray(1, 33)])),
      'in full',
    ],
    [
      'whose point says that it is compressed',
      pointOf((point) => Buffer.concat([Buffer.from([2]), point.subarray(1)])),
      'in full',
    ],
    [
      'whose point is not on the curve',
      pointOf((point) => Buffer.concat([point.subarray(0, 64), Buffer.from([point[64]! ^ 1])])),
      'make no key',
    ],
    ['of RSA with 1024 bits', rsaOf(modulusOf(1024)), '2048 to 8192 bits, this one has 1024'],
    ['of RSA with 2047 bits', rsaOf(modulusOf(2047)), 'this one has 2047'],
    ['of RSA with 8193 bits', rsaOf(modulusOf(8193)), 'this one has 8193'],
    ['of RSA with an even exponent', rsaOf(modulusOf(2048), Buffer.from([1, 0, 0])), 'exponent'],
    ['of RSA with an exponent of one', rsaOf(modulusOf(2048), Buffer.from([1])), 'exponent'],
    ['of RSA with a huge exponent', rsaOf(modulusOf(2048), Buffer.from([1, 0, 0, 0, 1])), 'exponent'],
    [
      'of RSA with a number in a longer form',
      Buffer.concat([wireString('ssh-rsa'), wireString(Buffer.from([0, 1, 0, 1])), wirePositive(modulusOf(2048))]),
      'shortest',
    ],
  ])('%s is refused', (_, hostile, why) => {
    expect(() => readSshKey(hostile)).toThrow(WireError);
    expect(() => readSshKey(hostile)).toThrow(why);
  });

  test('of RSA is taken from 2048 to 8192 bits, with the exponents that were ever usual', () => {
    for (const bits of [2048, 2049, 3072, 8192]) readSshKey(rsaOf(modulusOf(bits)));
    for (const exponent of [[3], [35], [1, 0, 1]]) readSshKey(rsaOf(modulusOf(2048), Buffer.from(exponent)));
  });

  test.each(['ed25519', 'p256', 'p384', 'p521', 'rsa'] as const)('of kind %s becomes the same blob again', (kind) => {
    const own = wireKey(kind).blob;
    expect(sshBlobOf(readSshKey(own).key)).toEqual(own);
  });

  test('of a kind that SSH has not makes no signature', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    expect(sshBlobOf(createPublicKey(privateKey))).toBeUndefined();
    expect(() => signSshsig(privateKey, publicKey, Buffer.alloc(1))).toThrow('makes no SSH signatures');
  });
});
