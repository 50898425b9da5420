/** After every elevation two other people say what they found; signatures are verified for real. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import {
  noRecord,
  reviewId,
  reviewMessages,
  reviewPredicate,
  type ReviewState,
} from '../../src/domain/elevation-review.js';
import type { ReviewEvidence } from '../../src/domain/evidence.js';
import type { ReviewStatement, Signed } from '../../src/domain/statement.js';
import { processMessages } from '../../src/domain/wire.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import { openEvidence } from '../../src/evidence/open.js';
import { verifyBundle } from '../../src/evidence/verify.js';
import { reviewSigned } from '../../src/trust/statements.js';
import { Forger } from '../evidence/forger.js';
import { Engine, eventually } from '../support/engine.js';
import { automation, directoryOf, person, type TestSigner } from '../support/signers.js';
import { begun, provisioned } from '../support/world.js';

const ada = person('ada@example.com');
const grace = person('grace@example.com');
const joan = person('joan@example.com');
const mary = person('mary@example.com');
const robot = automation('automation/nightly', 'grace@example.com');
const stranger = person('eve@example.com');

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  engine.around.directory = directoryOf(ada, grace, joan, mary, robot);
});
afterAll(async () => engine?.stop());

const reviewWhen = (operation: string, isSo: (state: ReviewState) => boolean): Promise<ReviewState> =>
  eventually(() => engine.process(reviewId(operation)).query<ReviewState>(reviewMessages.state), isSo);

/** An elevation that has ended and waits for its review. */
async function ended(name: string, requester = 'ada@example.com') {
  await provisioned(engine, name);
  const elevation = { scope: { grants: ['delete'] }, forMs: 3_600_000, incident: 'INC-1' };
  const handle = await begun(engine, { kind: 'elevate', reason: 'by hand', requester, elevation }, name);
  await engine.processWhen(handle.operation, ({ heldUntil }) => heldUntil !== undefined);
  await handle.signal(processMessages.giveBack, { by: requester });
  await handle.result();
  const { evidence } = await reviewWhen(handle.operation, ({ status }) => status === 'due');
  const { operation } = handle;
  const own = { operation, evidence: evidence!, verdict: 'justified', notes: 'one row, as INC-1 says' } as const;
  const review = engine.process(reviewId(operation));
  return {
    operation,
    evidence: evidence!,
    review,
    send: (signed: unknown) => review.signal(reviewMessages.review, signed),
    sign: (
      by: TestSigner,
      differs: Partial<Pick<ReviewStatement, 'operation' | 'evidence' | 'verdict' | 'notes'>> = {},
    ) => reviewSigned({ ...own, ...differs }, by),
  };
}

describe.concurrent('the review of an elevation', () => {
  test('is closed by two other people, and what they signed is in the log', async ({ expect }) => {
    const { operation, evidence, review, send, sign } = await ended('closed');
    await send(await sign(grace));
    expect(await reviewWhen(operation, ({ reviews }) => reviews.length === 1)).toMatchObject({ status: 'due' });
    await send(await sign(joan, { verdict: 'drill' }));
    expect(await review.result()).toMatchObject({
      status: 'closed',
      reviews: [
        { reviewer: 'grace@example.com', verdict: 'justified', notes: 'one row, as INC-1 says', key: grace.keyId },
        { reviewer: 'joan@example.com', verdict: 'drill' },
      ],
    });
    const reader = openEvidence(engine.evidence);
    const entries = await Promise.all(Array.from({ length: await reader.size() }, (_, index) => reader.read(index)));
    const record = entries.find(
      ({ predicateType, statement }) => predicateType === reviewPredicate && statement.includes(operation),
    );
    const { subject, predicate } = JSON.parse(record!.statement) as { subject: object[]; predicate: object };
    expect(subject).toMatchObject([
      { name: reviewId(operation) },
      { name: operation, digest: { sha256: evidence.replace('sha256:', '') } },
      { name: 'history' },
    ]);
    expect(predicate).toMatchObject({ v: 1, operation, evidence, reviews: [{}, {}] });
    expect(predicate).not.toHaveProperty('inbox');
    await engine.replays('closed');
    const part = await exportBundle(reader.shelf, { operation });
    const logKey = part.get('log.vkey')!;
    const checks = await verifyBundle(part, { logKey });
    const ofReview = checks.filter(({ subject }) => subject.includes('/review '));
    expect(ofReview.filter(({ verdict }) => verdict !== 'held')).toEqual([]);
    expect(ofReview.map(({ check }) => check)).toEqual([
      ...['signature', 'inclusion', 'statement', 'code', 'reviewed', 'directory'],
      ...['review of grace@example.com', 'review of joan@example.com', 'quorum', 'history', 'history says', 'replay'],
    ]);
  });

  const changes: readonly (readonly [string, (record: ReviewEvidence) => ReviewEvidence, RegExp])[] = [
    ['one review left out', (record) => ({ ...record, reviews: record.reviews.slice(1) }), /quorum: 1 of 2 people/],
    [
      'another verdict',
      (record) => ({ ...record, reviews: record.reviews.map((one) => ({ ...one, verdict: 'misuse' as const })) }),
      /review of grace@example.com: the record says something else than was signed/,
    ],
    [
      'one review by two names',
      ({ reviews: [one, two], ...record }) => ({ ...record, reviews: [one!, { ...two!, signed: one!.signed }] }),
      /review of joan@example.com: the record says something else/,
    ],
    ['fewer people asked', (record) => ({ ...record, people: 1 }), /quorum: it asked for 1, and never fewer than 2/],
    ['who asked', (record) => ({ ...record, requester: grace.name }), /grace@example.com asked for this elevation/],
    ['another record', (record) => ({ ...record, evidence: noRecord }), /reviewed: it is about another record/],
    ['other remarks', (record) => ({ ...record, remarks: ['all was well'] }), /asked to seal something else/],
  ];

  test('cannot be changed in the log, not even by who holds its key', async ({ expect }) => {
    const { operation, review, send, sign } = await ended('changed');
    await send(await sign(grace));
    await send(await sign(joan));
    await review.result();
    const files = await exportBundle(openEvidence(engine.evidence).shelf, {});
    const logKey = files.get('log.vkey')!;
    const { records } = Forger.of(files, engine.evidence);
    const at = records.findIndex(({ kind, record }) => kind === 'review' && record.operation === operation);
    for (const [what, change, expected] of changes) {
      const forged = await Forger.of(files, engine.evidence).change<ReviewEvidence>(at, change).bundle();
      const checks = await verifyBundle(forged, { logKey, noReplay: true });
      const broken = checks.filter(({ subject, verdict }) => verdict === 'broken' && subject.includes('changed/'));
      expect(broken.map(({ check, detail }) => `${check}: ${detail}`).join('\n'), what).toMatch(expected);
    }
  });

  test('counts nobody who asked, nobody twice, no automation, no stranger, and nothing that is about something else', async ({
    expect,
  }) => {
    const { operation, review, send, sign } = await ended('hostile');
    await send(await sign(grace));
    const forged: Signed = { ...(await sign(joan)), signature: (await sign(stranger)).signature };
    const hostile: readonly (readonly [Signed, RegExp])[] = [
      [await sign(ada), /asked for this elevation/],
      [await sign(grace, { verdict: 'drill' }), /has reviewed it already/],
      [await sign(robot), /only people review/],
      [await sign(stranger), /key|directory/],
      [forged, /signature|key/],
      [await sign(joan, { operation: 'nhi/closed/elevate/2' }), /is a review of nhi/],
      [await sign(joan, { evidence: `sha256:${'1'.repeat(64)}` }), /another record/],
      [{ statement: 'x', signature: 'y' }, /./],
    ];
    for (const [index, [signed, why]] of hostile.entries()) {
      await send(signed);
      const { refused, reviews } = await reviewWhen(operation, (state) => state.refused.length === index + 1);
      expect(refused.at(-1)!.reason).toMatch(why);
      expect(reviews).toHaveLength(1);
    }
    for (const garbage of [
      null,
      7,
      'review',
      {},
      { statement: 1, signature: 2 },
      { statement: 'x'.repeat(50_000), signature: 'y' },
    ])
      await send(garbage);
    await send(await sign(joan));
    expect(await review.result()).toMatchObject({ status: 'closed' });
    await engine.replays('hostile');
  });

  test('counts nobody who answers for the automation that asked', async ({ expect }) => {
    engine.around.only.set('automated', { asks: { kind: 'automation', owner: 'grace@example.com' } });
    const { operation, send, sign } = await ended('automated', robot.name);
    await send(await sign(grace));
    const { refused } = await reviewWhen(operation, (state) => state.refused.length === 1);
    expect(refused[0]!.reason).toContain('answers for who did');
    await send(await sign(joan));
    await send(await sign(mary));
    await reviewWhen(operation, ({ status }) => status === 'closed');
  });

  test('alerts at once when somebody found misuse', async ({ expect }) => {
    const { send, sign } = await ended('misused');
    await send(await sign(grace, { verdict: 'misuse', notes: 'a whole table is gone' }));
    const notices = await eventually(
      async () => engine.around.notices,
      (all) => all.some((text) => text.includes('found misuse in the elevation of misused')),
    );
    expect(notices.find((text) => text.includes('found misuse'))).toContain('a whole table is gone');
  });

  test('asks for as many people as policy says', async ({ expect }) => {
    const review = { people: 3, withinMs: 3_600_000 };
    engine.around.only.set('three', { obligations: { approvals: 0, gateMs: 1, review } });
    const { operation, send, sign } = await ended('three');
    const before = await reviewWhen(operation, () => true);
    expect(Date.parse(before.due!) - Date.parse(before.endedAt!)).toBe(3_600_000);
    await send(await sign(grace));
    await send(await sign(joan));
    expect(await reviewWhen(operation, ({ reviews }) => reviews.length === 2)).toMatchObject({ status: 'due' });
    await send(await sign(mary));
    await reviewWhen(operation, ({ status }) => status === 'closed');
  });
});
