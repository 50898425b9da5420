import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/canonical-json.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Directory, Party } from '../../src/domain/directory.js';
import { longestLifeMs, type RequestStatement, type Signed, type Statement } from '../../src/domain/statement.js';
import { longestStatement, statementText } from '../../src/trust/statement-text.js';
import { signerOf, verifySigned } from '../../src/trust/verify.js';
import { directoryOf, keyFlags, person, securityKeyHolder, type KeyKind } from '../support/signers.js';
import { refusalOf } from './refusals.js';
import { at, now, statements } from './statements.js';

const ada = person('ada@example.com', { groups: ['platform'] });
const directory = directoryOf(ada);
const request = statements['tenure/request@v1'];
const expected = { typ: 'tenure/request@v1', directory, now } as const;

const signedText = (text: string): Promise<Signed> => ada.signText(text);
const changed = (change: object): Promise<Signed> => signedText(canonicalJson({ ...request, ...change }));

describe('a signed statement', () => {
  test.each<KeyKind>(['ed25519', 'p256', 'p384', 'p521', 'rsa', 'jwk-ed25519', 'jwk-p256', 'jwk-rsa'])(
    'is that of its signer, with a key of kind %s',
    async (key) => {
      const signer = person('ada@example.com', { key, groups: ['platform'] });
      const { statement, attested } = await verifySigned(await signer.sign(request), {
        ...expected,
        directory: directoryOf(signer),
      });
      expect(statement).toEqual(request);
      expect(attested).toEqual({
        name: 'ada@example.com',
        kind: 'person',
        groups: ['platform'],
        key: signer.keyId,
        presence: 'none',
        at: now.toISOString(),
        statement: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      });
    },
  );

  test.each([
    [keyFlags.none, 'none'],
    [keyFlags.touched, 'touch'],
    [keyFlags.touchedAndUnlocked, 'pin'],
    // Unlocked and not touched: nobody was there.
    [4, 'none'],
    // Backed up, and may be backed up.
    [0x1d, 'pin'],
  ])('of a security key with flags %i says %s, on both curves', async (flags, presence) => {
    for (const curve of ['ed25519', 'p256'] as const) {
      const holder = securityKeyHolder('ada@example.com', { flags, curve });
      const signed = await holder.sign(request);
      const { attested } = await verifySigned(signed, { ...expected, directory: directoryOf(holder) });
      expect(attested.presence).toBe(presence);
    }
  });

  test('names the owner of a service', async () => {
    const service = person('ada@example.com', { kind: 'service', owner: 'grace@example.com' });
    const signed = await service.sign(request);
    const { attested } = await verifySigned(signed, { ...expected, directory: directoryOf(service) });
    expect(attested).toMatchObject({ kind: 'service', owner: 'grace@example.com' });
  });

  test.each(Object.values(statements))('of type $typ is taken from its signer, and from nobody else', async (one) => {
    const signer = person(signerOf(one));
    const other = person('mallory@example.com');
    const circumstances = { typ: one.typ, directory: directoryOf(signer, other), now };
    expect((await verifySigned(await signer.sign(one), circumstances)).statement).toEqual(one);
    expect(await refusalOf(verifySigned(await other.sign(one), circumstances))).toBe('other-signer');
  });
});

describe('a statement is refused', () => {
  const later = (ms: number): string => at(ms);
  const minute = 60_000;

  test.each<[string, string, () => Promise<unknown>]>([
    ['that is no object', 'malformed', async () => undefined],
    ['without a signature', 'malformed', async () => ({ statement: '{}' })],
    ['whose text is no text', 'malformed', async () => ({ statement: {}, signature: '' })],
    ['that is too large', 'too-large', () => signedText(`"${'x'.repeat(longestStatement)}"`)],
    ['that is no JSON', 'not-json', () => signedText('{')],
    ['that is null', 'wrong-type', () => signedText('null')],
    ['that is nested deep', 'wrong-type', () => signedText('['.repeat(8_000) + ']'.repeat(8_000))],
    ['of another type', 'wrong-type', () => ada.sign(statements['tenure/review@v1'])],
    ['with a field more', 'malformed', () => changed({ more: 1 })],
    [
      'with a field named like no field',
      'malformed',
      () => signedText(canonicalJson(request).replace('{', '{"__proto__":1,')),
    ],
    ['with a field less', 'malformed', () => changed({ subject: undefined })],
    ['with an empty field', 'malformed', () => changed({ subject: '' })],
    ['with a null for what may be absent', 'malformed', () => changed({ onBehalfOf: null })],
    ['of another version', 'malformed', () => changed({ v: 2 })],
    ['with an unknown verb', 'malformed', () => changed({ verb: 'destroy' })],
    ['with a digest of another form', 'malformed', () => changed({ digest: `SHA256:${'a'.repeat(64)}` })],
    ['with a name that has a line end', 'malformed', () => changed({ subject: 'a\nb' })],
    ['with a name that has something invisible', 'malformed', () => changed({ subject: 'a\u200bb' })],
    ['with a name that turns the text around', 'malformed', () => changed({ subject: 'a\u202eb' })],
    ['with half a character', 'malformed', () => changed({ subject: 'a\ud800b' })],
    ['with a date for an instant', 'malformed', () => changed({ iat: '2026-03-01' })],
    ['with an instant that is none', 'malformed', () => changed({ iat: '2026-02-30T00:00:00.000Z' })],
    ['with an instant in words', 'malformed', () => changed({ iat: 'Sun, 01 Mar 2026 GMT...' })],
    ['with spaces', 'not-canonical', () => signedText(` ${canonicalJson(request)}`)],
    [
      'with its fields in another order',
      'not-canonical',
      () => signedText(JSON.stringify(Object.fromEntries(Object.entries(request).toReversed()))),
    ],
    [
      'with a field twice',
      'not-canonical',
      () => signedText(canonicalJson(request).replace('{', `{"digest":"${request.digest}",`)),
    ],
    [
      'with a character written otherwise',
      'not-canonical',
      () => signedText(canonicalJson(request).replace('rotate', String.raw`\u0072otate`)),
    ],
    [
      'with a number written otherwise',
      'not-canonical',
      () => signedText(canonicalJson(request).replace('"v":1', '"v":1.0')),
    ],
    ['from the future', 'issued-in-the-future', () => changed({ iat: later(30_001), exp: later(minute) })],
    ['that has expired', 'expired', () => changed({ iat: later(-minute), exp: later(0) })],
    ['that ends before it begins', 'malformed', () => changed({ iat: later(20), exp: later(10) })],
    ['that ends when it begins', 'malformed', () => changed({ iat: later(20), exp: later(20) })],
    ['made for too long', 'lives-too-long', () => changed({ exp: at(longestLifeMs[request.typ] + 1) })],
    ['in the name of somebody else', 'other-signer', () => changed({ requester: 'grace@example.com' })],
    ['of a key that nobody has', 'unknown-key', () => person('ada@example.com').sign(request)],
    [
      'with the signature of another one',
      'bad-signature',
      async () => ({ ...(await changed({ id: 'r-2' })), statement: canonicalJson(request) }),
    ],
    [
      'with a signature that is neither of the two kinds',
      'signature-malformed',
      async () => ({ statement: canonicalJson(request), signature: 'x' }),
    ],
  ])('%s: %s', async (_, reason, make) => {
    expect(await refusalOf(verifySigned((await make()) as Signed, expected))).toBe(reason);
  });

  test('a moment before which it does not hold has not come', async () => {
    const one = statements['tenure/delegation@v1'];
    const signer = person(one.from);
    const signed = await signer.sign({ ...one, nbf: later(1) });
    const circumstances = { typ: one.typ, directory: directoryOf(signer) };
    expect(await refusalOf(verifySigned(signed, { ...circumstances, now }))).toBe('not-valid-yet');
    await verifySigned(signed, { ...circumstances, now: new Date(later(1)) });
  });

  test.each([
    ['the key was taken out', { parties: [], revoked: [] }, 'unknown-key'],
    ['the key has ended', withParty({ keys: [{ ...ada.key, to: at(0) }] }), 'key-not-valid'],
    ['the key has not begun', withParty({ keys: [{ ...ada.key, from: at(1) }] }), 'key-not-valid'],
    ['its holder has left', withParty({ to: at(0) }), 'party-not-valid'],
    ['its holder has not come yet', withParty({ from: at(1) }), 'party-not-valid'],
  ] as const)('because %s, at once', async (_, changedDirectory, reason) => {
    const signed = await ada.sign(request);
    expect(await refusalOf(verifySigned(signed, { ...expected, directory: changedDirectory }))).toBe(reason);
  });

  test('its times are judged when it was received, and its key now', async () => {
    const signed = await ada.sign(request);
    const muchLater = new Date(at(40 * 86_400_000));
    const circumstances = { ...expected, now: muchLater };
    expect(await refusalOf(verifySigned(signed, circumstances))).toBe('expired');
    const { attested } = await verifySigned(signed, { ...circumstances, receivedAt: now });
    expect(attested.at).toBe(muchLater.toISOString());
    const without = { ...circumstances, receivedAt: now, directory: withParty({ to: at(1) }) };
    expect(await refusalOf(verifySigned(signed, without))).toBe('party-not-valid');
    expect(await refusalOf(verifySigned(signed, { ...circumstances, receivedAt: new Date(NaN) }))).toBe('malformed');
  });

  test('without repeating what was sent', async () => {
    const planted = 'planted-4711';
    const sent = [
      changed({ [planted]: 1 }),
      changed({ verb: planted }),
      signedText(planted),
      ada.signText(`{"typ":"${planted}"}`),
    ];
    for (const signed of sent) {
      const error = await verifySigned(await signed, expected).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TenureError);
      expect((error as TenureError).message).not.toContain(planted);
    }
  });
});

describe('a builder', () => {
  test('makes no text that would be refused', () => {
    expect(() => statementText({ ...request, subject: 'a\nb' })).toThrow('subject');
    expect(() => statementText({ ...request, digest: 'sha256:00' } as RequestStatement)).toThrow('digest');
    expect(JSON.parse(statementText(request as Statement))).toEqual(request);
  });
});

function withParty(change: Partial<Party>): Directory {
  return { parties: [{ ...ada.party, ...change }], revoked: [] };
}
