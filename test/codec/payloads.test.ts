/** The codec that payloads pass, and the keys that it has. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isEncrypted, payloadCodec } from '../../src/temporal/codec/aes-gcm.js';
import { dataConverterFor } from '../../src/temporal/codec/converter.js';
import { createCodecKey, readCodecKey } from '../../src/temporal/codec/key.js';
import { codecWith, keyOf, textIn } from './keys.js';

const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)!;
const secret = { purpose: 'pays the suppliers', scope: ['SELECT ledger.payments'] };

describe('a payload', () => {
  test('is not to be read in what is encrypted, and comes back as it was', async () => {
    const codec = codecWith({ one: keyOf(1) }, 'one');
    const [encoded] = await codec.encode([plain(secret)]);
    expect(textIn(encoded!)).not.toContain('suppliers');
    expect(isEncrypted(encoded!)).toBe(true);
    const [decoded] = await codec.decode([encoded!]);
    expect(defaultPayloadConverter.fromPayload(decoded!)).toEqual(secret);
  });

  test('of any bytes and any metadata comes back byte for byte', async () => {
    const codec = codecWith({ one: keyOf(1) }, 'one');
    const bytes = fc.uint8Array({ maxLength: 300 });
    const metadata = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), bytes, { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(metadata, bytes, async (names, data) => {
        const [decoded] = await codec.decode(await codec.encode([{ metadata: names, data }]));
        expect(Buffer.from(decoded!.data!).equals(data)).toBe(true);
        const found = Object.entries(decoded!.metadata!).map(([name, value]) => [
          name,
          Buffer.from(value).toString('hex'),
        ]);
        expect(Object.fromEntries(found)).toEqual(
          Object.fromEntries(Object.entries(names).map(([name, value]) => [name, Buffer.from(value).toString('hex')])),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('is encrypted with a nonce of its own: the same twice is two ciphertexts', async () => {
    const codec = codecWith({ one: keyOf(1) }, 'one');
    const encoded = await codec.encode(Array.from({ length: 500 }, () => plain('the same')));
    expect(new Set(encoded.map(({ data }) => Buffer.from(data!.subarray(0, 12)).toString('hex'))).size).toBe(500);
  });

  test('that was never encrypted is read as it is, also among encrypted ones', async () => {
    const codec = codecWith({ one: keyOf(1) }, 'one');
    const [encoded] = await codec.encode([plain('new')]);
    const decoded = await codec.decode([plain('old'), encoded!, {}]);
    expect(decoded.slice(0, 2).map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual(['old', 'new']);
    expect(decoded[2]).toEqual({});
  });

  test('whose every byte is changed in turn is refused each time, and so is one that was cut short', async () => {
    const codec = codecWith({ one: keyOf(1), two: keyOf(2) }, 'one');
    const [encoded] = await codec.encode([plain('word')]);
    const { metadata, data } = encoded!;
    for (let at = 0; at < data!.length; at += 1) {
      const changed = Buffer.from(data!);
      changed[at]! ^= 1;
      await expect(codec.decode([{ metadata: metadata!, data: changed }])).rejects.toThrow('does not open with it');
      await expect(codec.decode([{ metadata: metadata!, data: data!.subarray(0, at) }])).rejects.toThrow(
        'does not open',
      );
    }
    await expect(codec.decode([{ metadata: metadata! }])).rejects.toThrow('does not open');
    const renamed = { ...metadata, 'encryption-key-id': Buffer.from('two') };
    await expect(codec.decode([{ metadata: renamed, data: data! }])).rejects.toThrow('does not open');
  });

  test('that is empty cannot be made of a tag that is short enough to be guessed', async () => {
    const codec = codecWith({ one: keyOf(1) }, 'one');
    const [encoded] = await codec.encode([{}]);
    const { metadata, data } = encoded!;
    for (let length = 0; length < data!.length; length += 1)
      await expect(codec.decode([{ metadata: metadata!, data: data!.subarray(0, length) }])).rejects.toThrow(
        'not open',
      );
    expect(await codec.decode([encoded!])).toHaveLength(1);
  });

  test('cannot be passed off as of another key, even where two ids have the same key', async () => {
    const codec = codecWith({ one: keyOf(1), alias: keyOf(1) }, 'one');
    const [encoded] = await codec.encode([plain('word')]);
    const renamed = { ...encoded!.metadata, 'encryption-key-id': Buffer.from('alias') };
    await expect(codec.decode([{ metadata: renamed, data: encoded!.data! }])).rejects.toThrow('names key alias');
  });
});

describe('a key', () => {
  test('that is missing is named, and one that is another now is named too', async () => {
    const [encoded] = await codecWith({ 'k-2026': keyOf(1) }, 'k-2026').encode([plain('word')]);
    await expect(codecWith({ 'k-2027': keyOf(2) }, 'k-2027').decode([encoded!])).rejects.toThrow(
      /encrypted with key k-2026, which is not under encryption.keys in tenure.yaml/,
    );
    await expect(codecWith({ 'k-2026': keyOf(2) }, 'k-2026').decode([encoded!])).rejects.toThrow(
      /names key k-2026 does not open with it: it was changed, or another key has that id/,
    );
  });

  test('is not named as whoever wrote the payload wants', async () => {
    const [encoded] = await codecWith({ one: keyOf(1) }, 'one').encode([plain('word')]);
    const metadata = { ...encoded!.metadata, 'encryption-key-id': Buffer.from('x\u001b[2J\nforged line') };
    const refusal = codecWith({ one: keyOf(1) }, 'one').decode([{ metadata, data: encoded!.data! }]);
    await expect(refusal).rejects.toThrow('with key (none that could be ours)');
  });

  test('is followed by another: the new one encrypts, and what the old one encrypted stays readable', async () => {
    const old = codecWith({ old: keyOf(1) }, 'old');
    const between = codecWith({ old: keyOf(1), new: keyOf(2) }, 'old');
    const after = codecWith({ old: keyOf(1), new: keyOf(2) }, 'new');
    const [first] = await old.encode([plain('first')]);
    const [second] = await after.encode([plain('second')]);
    expect(Buffer.from(second!.metadata!['encryption-key-id']!).toString()).toBe('new');
    for (const codec of [between, after]) {
      const decoded = await codec.decode([first!, second!]);
      expect(decoded.map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual(['first', 'second']);
    }
    await expect(old.decode([second!])).rejects.toThrow('key new');
  });

  test('that encrypts no more still decrypts', async () => {
    const [encoded] = await codecWith({ one: keyOf(1) }, 'one').encode([plain('word')]);
    const off = codecWith({ one: keyOf(1) }, undefined);
    expect(await off.encode([plain('clear')])).toEqual([plain('clear')]);
    expect(defaultPayloadConverter.fromPayload((await off.decode([encoded!]))[0]!)).toBe('word');
  });
});

describe('a key’s file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-codec-key-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is made once, for its owner alone, and never written over', async () => {
    const file = join(folder, 'made', 'one.key');
    expect(await createCodecKey(file, 'one')).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const before = await readFile(file, 'utf8');
    expect(await createCodecKey(file, 'one')).toBe(false);
    expect(await readFile(file, 'utf8')).toBe(before);
    expect((await readCodecKey({ file }, 'one')).symmetricKeySize).toBe(32);
  });

  test('of another key is refused, and never quoted', async () => {
    const file = join(folder, 'other.key');
    await createCodecKey(file, 'other');
    const written = (await readFile(file, 'utf8')).trim();
    const refusal = await readCodecKey({ file }, 'one').then(
      () => 'taken',
      (error: Error) => error.message,
    );
    expect(refusal).toContain('holds another key');
    expect(refusal).not.toContain(written.split(':')[2]);
  });

  test.each([
    ['an empty key', 'TENURE-CODEC-KEY-1:one:'],
    ['a short key', randomBytes(16).toString('base64')],
    ['a long key', randomBytes(33).toString('base64')],
    ['words', 'correct horse battery staple'],
    ['hex', randomBytes(32).toString('hex')],
  ])('that holds %s is refused, and never quoted', async (_what, content) => {
    const file = join(folder, `${Math.random()}.key`);
    await writeFile(file, content, { mode: 0o600 });
    const message = await readCodecKey({ file }, 'one').then(
      () => 'taken',
      (error: Error) => error.message,
    );
    expect(message).toContain('does not hold a key of 32 bytes');
    expect(message).not.toContain(content);
  });

  test('that others can read is refused', async () => {
    const file = join(folder, 'open.key');
    await createCodecKey(file, 'one');
    await chmod(file, 0o640);
    await expect(readCodecKey({ file }, 'one')).rejects.toThrow('others can read');
  });

  test('may hold what openssl writes, and a variable may too', async () => {
    const bare = randomBytes(32).toString('base64');
    process.env['TENURE_TEST_CODEC_KEY'] = bare;
    try {
      const key = await readCodecKey({ env: 'TENURE_TEST_CODEC_KEY' }, 'one');
      expect(key.export().toString('base64')).toBe(bare);
    } finally {
      delete process.env['TENURE_TEST_CODEC_KEY'];
    }
  });

  test('makes a data converter that encodes failures only while something is encrypted', async () => {
    const file = join(folder, 'converter.key');
    await createCodecKey(file, 'one');
    const keys = [{ id: 'one', key: { file } }];
    expect(await dataConverterFor({})).toEqual({});
    expect((await dataConverterFor({ encryption: { keys } })).failureConverterPath).toBeUndefined();
    const { failureConverterPath, payloadCodecs } = await dataConverterFor({ encryption: { keys, current: 'one' } });
    expect(failureConverterPath).toMatch(/failure-converter\.cjs$/);
    expect(payloadCodecs).toHaveLength(1);
  });
});

test('a ring without the key that it says encrypts is no reason to send anything in clear', () => {
  expect(() => payloadCodec({ keys: new Map(), current: 'gone' })).toThrow('gone');
});
