import { describe, expect, test } from 'vitest';
import type { ChangeRequest } from '../../src/domain/request.js';
import { verifyRequest } from '../../src/trust/requests.js';
import { requestSigned } from '../../src/trust/statements.js';
import { directoryOf, keyFlags, person, securityKeyHolder, type KeyKind } from '../support/signers.js';

const now = new Date('2026-03-01T12:00:00.000Z');
const request: ChangeRequest = { id: 'r-1', kind: 'rotate', requester: 'ada@example.com', reason: 'monthly' };

describe('a request', () => {
  test.each<KeyKind>(['ed25519', 'p256', 'p384', 'p521', 'rsa', 'jwk-ed25519', 'jwk-p256', 'jwk-rsa'])(
    'signed with a key of kind %s is that of its signer',
    async (key) => {
      const ada = person('ada@example.com', { key, groups: ['platform'] });
      const asked = await requestSigned(request, 'payments-db', ada, now);
      const attested = await verifyRequest(asked, 'payments-db', { directory: directoryOf(ada), now });
      expect(attested).toMatchObject({
        name: 'ada@example.com',
        kind: 'person',
        groups: ['platform'],
        key: ada.keyId,
        presence: 'none',
      });
    },
  );

  test.each([
    [keyFlags.none, 'none'],
    [keyFlags.touched, 'touch'],
    [keyFlags.touchedAndUnlocked, 'pin'],
    [4, 'none'],
  ])('of a security key with flags %i says %s', async (flags, presence) => {
    for (const curve of ['ed25519', 'p256'] as const) {
      const ada = securityKeyHolder('ada@example.com', { flags, curve });
      const asked = await requestSigned(request, 'payments-db', ada, now);
      const attested = await verifyRequest(asked, 'payments-db', { directory: directoryOf(ada), now });
      expect(attested.presence).toBe(presence);
    }
  });
});
