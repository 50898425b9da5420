import { describe, expect, test } from 'vitest';
import type { ChangeRequest } from '../../src/domain/request.js';
import { longestLifeMs } from '../../src/domain/statement.js';
import type { Resume } from '../../src/domain/wire.js';
import { verifyRequest, verifyWord } from '../../src/trust/requests.js';
import {
  advanceSigned,
  decisionSigned,
  delegationSigned,
  digestWithoutSignature,
  requestSigned,
  reviewSigned,
  wordSigned,
} from '../../src/trust/statements.js';
import { verifySigned } from '../../src/trust/verify.js';
import { digestOf } from '../../src/policy/digest.js';
import { automation, directoryOf, person } from '../support/signers.js';
import { refusalOf } from './refusals.js';
import { at, now, statements } from './statements.js';

const ada = person('ada@example.com');
const nightly = automation('automation/nightly', 'ada@example.com');
const directory = directoryOf(ada, nightly);
const circumstances = { directory, now };
const request: ChangeRequest = { id: 'r-1', kind: 'rotate', requester: 'ada@example.com', reason: 'laptop lost' };

describe('a request', () => {
  test('is that of who signed it, for one identity and exactly this', async () => {
    const asked = await requestSigned(request, 'payments-db', ada, now);
    expect(await verifyRequest(asked, 'payments-db', circumstances)).toMatchObject({ name: 'ada@example.com' });
    expect(asked).toMatchObject(request);
  });

  test.each<[string, Partial<ChangeRequest>]>([
    ['its id', { id: 'r-2' }],
    ['its kind', { kind: 'offboard' }],
    ['who asks', { requester: 'grace@example.com' }],
    ['its reason', { reason: 'found in public' }],
    ['an emergency', { emergency: true }],
    ['for whom', { onBehalfOf: 'grace@example.com' }],
    ['a ticket', { ticket: 'T-1' }],
    ['an approval in advance', { advance: [{ statement: '', signature: '' }] }],
  ])('is refused when %s was changed after it was signed', async (_, change) => {
    const asked = await requestSigned(request, 'payments-db', ada, now);
    expect(await refusalOf(verifyRequest({ ...asked, ...change }, 'payments-db', circumstances))).toBe('other-content');
  });

  test('is refused for another identity, without a signature, and where it is no plain JSON', async () => {
    const asked = await requestSigned(request, 'payments-db', ada, now);
    expect(await refusalOf(verifyRequest(asked, 'ledger-db', circumstances))).toBe('other-content');
    expect(await refusalOf(verifyRequest(request, 'payments-db', circumstances))).toBe('not-signed');
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const hostile = { ...asked, spec: deep } as unknown as ChangeRequest;
    expect(await refusalOf(verifyRequest(hostile, 'payments-db', circumstances))).toBe('malformed');
  });

  test('of an automation says for whom', async () => {
    const asked = { ...request, requester: nightly.name, onBehalfOf: 'schedule/monthly' };
    const signed = await requestSigned(asked, 'payments-db', nightly, now);
    const attested = await verifyRequest(signed, 'payments-db', circumstances);
    expect(attested).toMatchObject({ name: nightly.name, kind: 'automation', owner: 'ada@example.com' });
    expect(
      await refusalOf(verifyRequest({ ...signed, onBehalfOf: 'schedule/weekly' }, 'payments-db', circumstances)),
    ).toBe('other-content');
  });

  test('of an automation has behind it for whom it asks, or who answers for them; a schedule is nobody', async () => {
    const grace = person('grace@example.com');
    const agent = person('agent/helper', { kind: 'agent', owner: grace.name });
    const known = { directory: directoryOf(ada, grace, agent, nightly), now };
    for (const [onBehalfOf, behind] of [
      [grace.name, [grace.name]],
      [agent.name, [grace.name]],
      [nightly.name, [ada.name]],
      ['schedule/monthly', undefined],
    ] as const) {
      const asked = await requestSigned({ ...request, requester: nightly.name, onBehalfOf }, 'x', nightly, now);
      expect((await verifyRequest(asked, 'x', known)).behind).toEqual(behind);
    }
  });

  test('waits an hour for a worker, an emergency a day', async () => {
    const hour = 3_600_000;
    for (const [emergency, ms] of [
      [undefined, hour],
      [true, 24 * hour],
    ] as const) {
      const asked = await requestSigned({ ...request, kind: 'revoke', ...(emergency && { emergency }) }, 'x', ada, now);
      await verifyRequest(asked, 'x', { directory, now: new Date(at(ms - 1)) });
      expect(await refusalOf(verifyRequest(asked, 'x', { directory, now: new Date(at(ms)) }))).toBe('expired');
      await verifyRequest(asked, 'x', { directory, now: new Date(at(ms)), receivedAt: now });
    }
  });

  test('is made in no other name than that of who signs', async () => {
    await expect(requestSigned(request, 'x', nightly)).rejects.toThrow('cannot sign for ada@example.com');
  });

  test('has the digest of all but its signature', async () => {
    const asked = await requestSigned(request, 'x', ada, now);
    expect(digestWithoutSignature(asked)).toBe(digestOf(request));
  });
});

describe('a word', () => {
  const word: Omit<Resume, 'signed'> = { by: ada.name, since: at(0), how: 'again' };
  const about = { verb: 'resume', subject: 'nhi/payments-db/rotate/3', id: 'w-1' } as const;

  test('is that of who signed it, about one process and exactly this', async () => {
    const { signed, ...content } = await wordSigned(word, about, ada, now);
    const said = { signed, ...about, content };
    expect(await verifyWord(said, circumstances)).toMatchObject({ name: ada.name });
    for (const change of [
      { verb: 'abandon' as const },
      { subject: 'nhi/payments-db/rotate/4' },
      { content: { ...content, how: 'go-on' } },
      { content: { ...content, since: at(1) } },
    ])
      expect(await refusalOf(verifyWord({ ...said, ...change }, circumstances))).toBe('other-content');
    expect(await refusalOf(verifyWord({ ...said, signed: undefined }, circumstances))).toBe('not-signed');
    expect(await refusalOf(verifyWord({ ...said, content: undefined }, circumstances))).toBe('malformed');
  });

  test('is said in no other name than that of who signs', async () => {
    await expect(wordSigned({ ...word, by: 'grace@example.com' }, about, ada)).rejects.toThrow('cannot sign for');
    const content = { ...word, by: 'grace@example.com' };
    const forged = { ...statements['tenure/request@v1'], ...about, digest: digestOf(content), requester: ada.name };
    const signed = await ada.sign(forged);
    expect(await refusalOf(verifyWord({ signed, ...about, content }, circumstances))).toBe('other-signer');
  });
});

describe('each builder', () => {
  const own = <T extends object>({ ...fields }: T, ...without: (keyof T)[]): T => {
    for (const name of without) delete fields[name];
    return fields as T;
  };
  const common = ['v', 'typ', 'iat', 'exp'] as const;

  test('fills in who signs, when, and until when', async () => {
    const day = 86_400_000;
    const made = {
      'tenure/decision@v1': await decisionSigned(
        own(statements['tenure/decision@v1'], ...common, 'approver'),
        ada,
        now,
      ),
      'tenure/delegation@v1': await delegationSigned(
        own(statements['tenure/delegation@v1'], ...common, 'from'),
        31 * day,
        ada,
        now,
      ),
      'tenure/advance@v1': await advanceSigned(
        own(statements['tenure/advance@v1'], ...common, 'approver'),
        day,
        ada,
        now,
      ),
      'tenure/review@v1': await reviewSigned(own(statements['tenure/review@v1'], ...common, 'reviewer'), ada, now),
    } as const;
    for (const typ of Object.keys(made) as (keyof typeof made)[]) {
      const { statement, attested } = await verifySigned(made[typ], { typ, ...circumstances });
      expect(attested.name).toBe(ada.name);
      const lifeMs = typ === 'tenure/advance@v1' ? day : longestLifeMs[typ];
      expect(statement).toMatchObject({ iat: at(0), exp: at(lifeMs) });
    }
  });

  test('makes nothing that holds for longer than it may', async () => {
    const fields = own(statements['tenure/delegation@v1'], ...common, 'from');
    expect(() => delegationSigned(fields, longestLifeMs['tenure/delegation@v1'] + 1, ada, now)).toThrow('ask for less');
  });

  test('takes the present for now', async () => {
    const present = { directory, now: new Date() };
    await verifyRequest(await requestSigned(request, 'x', ada), 'x', present);
    const decision = await decisionSigned(own(statements['tenure/decision@v1'], ...common, 'approver'), ada);
    await verifySigned(decision, { typ: 'tenure/decision@v1', ...present });
    const review = await reviewSigned(own(statements['tenure/review@v1'], ...common, 'reviewer'), ada);
    await verifySigned(review, { typ: 'tenure/review@v1', ...present });
    const advance = await advanceSigned(own(statements['tenure/advance@v1'], ...common, 'approver'), 1_000, ada);
    await verifySigned(advance, { typ: 'tenure/advance@v1', ...present });
    const delegation = await delegationSigned(own(statements['tenure/delegation@v1'], ...common, 'from'), 1_000, ada);
    await verifySigned(delegation, { typ: 'tenure/delegation@v1', ...present });
  });
});
