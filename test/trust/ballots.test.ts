/** I6: which decision counts at a gate. Every refusal below is for a statement whose signature is good, unless it says otherwise. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Attested, Directory } from '../../src/domain/directory.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Ballot, GateState } from '../../src/domain/process.js';
import type { DecisionStatement } from '../../src/domain/statement.js';
import { stillCounting, weighBallot, whoMayDecide, type Weighing } from '../../src/trust/ballots.js';
import { decisionSigned, delegationSigned } from '../../src/trust/statements.js';
import { automation, directoryOf, keyFlags, person, securityKeyHolder, type TestSigner } from '../support/signers.js';

const now = new Date('2030-01-01T10:00:00.000Z');
const digest = (n: number): string => `sha256:${String(n).repeat(64)}`;
const minute = 60_000;
const operation = 'nhi/app/rotate/2';

const ada = person('ada@example.com', { groups: ['platform'] });
const grace = person('grace@example.com', { groups: ['platform'] });
const graceToo = person('grace@example.com', { groups: ['platform'], key: 'p256' });
const rosa = person('rosa@example.com', { groups: ['security'] });
const hedy = securityKeyHolder('hedy@example.com', { groups: ['security'] });
const touchOnly = securityKeyHolder('joan@example.com', { groups: ['security'], flags: keyFlags.touched });
const robot = automation('automation/tenure', 'ada@example.com', { groups: ['platform'] });
const api = person('api', { kind: 'service', owner: 'rosa@example.com', key: 'jwk-ed25519' });
const stranger = person('grace@example.com');
const left = person('left@example.com', { groups: ['platform'], to: '2029-12-31T00:00:00.000Z' });

const gate: GateState = {
  planDigest: digest(1),
  policyDigest: digest(2),
  evidenceDigest: digest(3),
  round: 'round-1',
  run: 'run-1',
  number: 1,
  requester: 'ada@example.com',
  needed: 1,
  groups: [],
  stepUp: false,
  rules: [],
  openedAt: '2030-01-01T09:00:00.000Z',
  deadline: '2030-01-02T09:00:00.000Z',
  votes: [],
  refused: [],
  outcome: 'open',
};

const gateOf = ({ name }: TestSigner): GateState => ({ ...gate, requester: name });

let directory: Directory;
beforeEach(() => {
  directory = directoryOf(ada, grace, graceToo, rosa, hedy, touchOnly, robot, api, left);
});

const attested = ({ party, key }: TestSigner): Attested => ({
  name: party.name,
  kind: party.kind,
  groups: party.groups,
  ...(party.owner !== undefined && { owner: party.owner }),
  key: key.id,
  presence: 'none',
  at: now.toISOString(),
  statement: digest(9),
});

const own = (differs: Partial<DecisionStatement> = {}) => ({
  operation,
  run: 'run-1',
  round: 'round-1',
  plan: digest(1),
  policy: digest(2),
  evidence: digest(3),
  requester: 'ada@example.com',
  decision: 'approve' as const,
  reason: 'looks right',
  ...differs,
});

async function ballotOf(signer: TestSigner, differs: Partial<DecisionStatement> = {}, at = now): Promise<Ballot> {
  return { signed: await decisionSigned(own(differs), signer, at) };
}

const weighed = async (ballot: Ballot | Promise<Ballot>, differs: Partial<Weighing> = {}) =>
  weighBallot({
    ballot: await ballot,
    gate,
    plan: { owner: 'ada@example.com', environment: 'production' },
    operation,
    requester: attested(ada),
    directory,
    now,
    ...differs,
  });

async function expectRefused(ballot: Ballot | Promise<Ballot>, why: string, differs: Partial<Weighing> = {}) {
  expect(await weighed(ballot, differs)).toMatchObject({
    counts: false,
    refused: { at: now.toISOString(), reason: expect.stringContaining(why) },
  });
}

describe('counts', () => {
  test('an approval of exactly this gate by somebody else, with the groups and the key that it stands for', async () => {
    const ballot = await ballotOf(grace);
    expect(await weighed(ballot)).toEqual({
      counts: true,
      vote: {
        approver: 'grace@example.com',
        decision: 'approve',
        planDigest: digest(1),
        reason: 'looks right',
        at: now.toISOString(),
        groups: ['platform'],
        stepUp: false,
        key: grace.keyId,
        ballot,
      },
    });
  });

  test.each<[string, TestSigner, Partial<GateState>, Partial<Weighing>]>([
    ['somebody of a group that is asked for', rosa, { groups: ['security'] }, {}],
    ['somebody of the second group', rosa, { groups: ['finance'], escalatedTo: 'security' }, {}],
    ['anybody, where no group is asked for', grace, {}, {}],
    ['somebody without a security key, where approvals need one', rosa, { groups: ['security'], stepUp: true }, {}],
    ['the owner of the identity', grace, { groups: ['security'] }, { plan: { owner: grace.name, environment: 'x' } }],
    ['whoever asked', ada, { groups: ['security'] }, {}],
    [
      'who answers for the automation that asked',
      ada,
      { groups: ['security'], requester: robot.name },
      { requester: attested(robot), plan: { owner: 'grace@example.com', environment: 'x' } },
    ],
  ])('a denial by %s', async (_, signer, gated, differs) => {
    const asks = { ...gate, ...gated };
    const ballot = ballotOf(signer, { decision: 'deny', requester: asks.requester });
    const counted = await weighed(ballot, { gate: asks, ...differs });
    expect(counted).toMatchObject({ counts: true, vote: { approver: signer.name, decision: 'deny' } });
  });

  test('taking a decision back', async () => {
    expect(await weighed(ballotOf(grace, { decision: 'withdraw' }))).toMatchObject({ counts: true, withdraws: true });
  });

  test('no reason at all', async () => {
    const counted = await weighed(ballotOf(grace, { reason: '' }));
    expect(counted.counts && 'reason' in counted.vote).toBe(false);
  });

  test('a security key that was touched and unlocked, where that is asked for', async () => {
    const stepUp = { gate: { ...gate, stepUp: true } };
    expect(await weighed(ballotOf(hedy), stepUp)).toMatchObject({ counts: true, vote: { stepUp: true } });
  });

  test('the owner of the identity as `owner`, where somebody else asked', async () => {
    const plan = { owner: 'grace@example.com', environment: 'production' };
    const counted = await weighed(ballotOf(grace), { plan, gate: { ...gate, groups: ['owner'] } });
    expect(counted).toMatchObject({ counts: true, vote: { groups: ['platform', 'owner'] } });
  });

  test('somebody of the second group, once it was asked too', async () => {
    const escalated = { gate: { ...gate, groups: ['platform'], escalatedTo: 'security' } };
    expect(await weighed(ballotOf(rosa), escalated)).toMatchObject({ counts: true });
  });
});

describe('does not count', () => {
  test.each<[string, Partial<DecisionStatement>]>([
    ['process', { operation: 'nhi/app/rotate/3' }],
    ['run', { run: 'run-2' }],
    ['round', { round: 'round-2' }],
    ['plan', { plan: digest(8) }],
    ['policies', { policy: digest(8) }],
    ['facts', { evidence: digest(8) }],
    ['requester', { requester: 'rosa@example.com' }],
  ])('an approval that was signed for another %s', async (what, differs) => {
    await expectRefused(ballotOf(grace, differs), `another ${what}`);
  });

  test('one that was signed before the gate was open', async () => {
    const early = new Date(Date.parse(gate.openedAt) - minute);
    await expectRefused(ballotOf(grace, {}, early), 'before this gate', { receivedAt: early });
  });

  test('one that has expired, and one from the future', async () => {
    await expectRefused(ballotOf(grace, {}, new Date(now.getTime() - 11 * minute)), 'expired');
    await expectRefused(ballotOf(grace, {}, new Date(now.getTime() + minute)), 'clocks');
  });

  test('approving what one asked for', async () => {
    await expectRefused(ballotOf(ada), 'nobody approves their own request');
  });

  test('approving what an automation of one’s own asked for', async () => {
    const asked = { requester: attested(robot), gate: { ...gate, requester: robot.name } };
    await expectRefused(ballotOf(ada, { requester: robot.name }), 'answers for automation/tenure', asked);
  });

  test('approving what an automation was made to ask for, by whomever it asks for: a schedule bars nobody', async () => {
    const asked = { requester: { ...attested(robot), behind: ['grace@example.com'] }, gate: gateOf(robot) };
    await expectRefused(ballotOf(grace, { requester: robot.name }), 'on behalf of grace@example.com', asked);
    const unbarred = await weighed(ballotOf(rosa, { requester: robot.name }), asked);
    expect(unbarred).toMatchObject({ counts: true });
    const scheduled = { requester: attested(robot), gate: gateOf(robot) };
    expect(await weighed(ballotOf(grace, { requester: robot.name }), scheduled)).toMatchObject({ counts: true });
  });

  test('a service and an automation', async () => {
    await expectRefused(ballotOf(api), 'no person (service)');
    await expectRefused(ballotOf(robot), 'no person (automation)');
  });

  test('a denial by anybody else: stopping the rotation of what leaked would be an attack', async () => {
    const security = { gate: { ...gate, groups: ['security'] } };
    await expectRefused(
      ballotOf(grace, { decision: 'deny' }),
      'only stopped by people of security, the owner',
      security,
    );
    await expectRefused(ballotOf(api, { decision: 'deny' }), 'no person (service)');
  });

  test('a key that is nobody’s, though the statement says whose', async () => {
    await expectRefused(ballotOf(stranger), 'nobody’s in the directory');
    expect(await weighed(ballotOf(stranger))).toMatchObject({ refused: { claimed: 'grace@example.com' } });
  });

  test('a key from the moment on at which it was removed', async () => {
    const ballot = await ballotOf(grace);
    expect(await weighed(ballot)).toMatchObject({ counts: true });
    await expectRefused(ballot, 'nobody’s in the directory', { directory: directoryOf(ada, graceToo, rosa) });
  });

  test('somebody whose time in the directory is over', async () => {
    await expectRefused(ballotOf(left), 'not for now');
  });

  test('the key of one in the name of another', async () => {
    const text = JSON.stringify(JSON.parse((await ballotOf(rosa)).signed.statement));
    const signed = await grace.signText(text);
    await expectRefused({ signed }, 'somebody else');
  });

  test('a changed byte', async () => {
    const { signed } = await ballotOf(grace);
    await expectRefused({ signed: { ...signed, statement: signed.statement.replace('right', 'wrong') } }, 'signature');
  });

  test('fields in another order, though the signature is over these bytes', async () => {
    const { statement } = (await ballotOf(grace)).signed;
    const reversed = Object.fromEntries(Object.entries(JSON.parse(statement) as object).toReversed());
    await expectRefused({ signed: await grace.signText(JSON.stringify(reversed)) }, 'canonical');
  });

  test('somebody of another group than is asked for', async () => {
    await expectRefused(ballotOf(grace), 'people of security', { gate: { ...gate, groups: ['security'] } });
  });

  test('a file, or a touch alone, where a touched and unlocked security key is asked for', async () => {
    const stepUp = { gate: { ...gate, stepUp: true } };
    await expectRefused(ballotOf(rosa), 'security key', stepUp);
    await expectRefused(ballotOf(touchOnly), 'security key', stepUp);
  });

  test.each([
    ['no JSON', { statement: 'approve', signature: 'x' }],
    ['JSON that is no object', { statement: '7', signature: 'x' }],
    ['a name that is no text', { statement: '{"approver":7}', signature: 'x' }],
  ])('%s; then it is from nobody', async (_, signed) => {
    expect(await weighed({ signed })).toMatchObject({ counts: false, refused: { claimed: 'nobody' } });
  });
});

describe('a delegation', () => {
  const lent = (differs: object = {}, from: TestSigner = hedy, at = now, days = 7) =>
    delegationSigned(
      {
        id: 'd-1',
        to: 'grace@example.com',
        groups: ['security'],
        environments: ['production'],
        nbf: at.toISOString(),
        reason: 'leave',
        ...differs,
      },
      days * 86_400_000,
      from,
      at,
    );
  const gated = { gate: { ...gate, groups: ['security'] } };
  const onBehalfOf = 'hedy@example.com';

  test('lets one person stand for the groups that another lent, and for no more', async () => {
    const ballot = {
      ...(await ballotOf(grace, { onBehalfOf })),
      delegation: await lent({ groups: ['security', 'owner'] }),
    };
    expect(await weighed(ballot, gated)).toMatchObject({
      counts: true,
      vote: { approver: 'grace@example.com', onBehalfOf, groups: ['security'] },
    });
  });

  test.each<[string, string, object, Partial<DecisionStatement>]>([
    ['of somebody else', 'is not one of rosa@example.com', {}, { onBehalfOf: 'rosa@example.com' }],
    ['for somebody else: it cannot be passed on', 'cannot be passed on', { to: 'rosa@example.com' }, {}],
    ['for another environment', 'does not hold for production', { environments: ['test'] }, {}],
    ['that lends groups that the absent person has not', 'people of security', { groups: ['finance'] }, {}],
    ['that does not hold yet', 'does not hold before', { nbf: '2030-01-02T00:00:00.000Z' }, {}],
  ])('does not count when it is one %s', async (_, why, differs, decision) => {
    const ballot = { ...(await ballotOf(grace, { onBehalfOf, ...decision })), delegation: await lent(differs) };
    await expectRefused(ballot, why, gated);
  });

  test('holds everywhere where it names no environment', async () => {
    const ballot = { ...(await ballotOf(grace, { onBehalfOf })), delegation: await lent({ environments: [] }) };
    expect(await weighed(ballot, gated)).toMatchObject({ counts: true });
  });

  test('does not count when it is missing, revoked, expired, or by whoever asked', async () => {
    const decision = await ballotOf(grace, { onBehalfOf });
    await expectRefused(decision, 'no delegation came with it', gated);
    const revoked = { ...directory, revoked: ['d-1'] };
    await expectRefused({ ...decision, delegation: await lent() }, 'was revoked', { ...gated, directory: revoked });
    const old = new Date(now.getTime() - 8 * 86_400_000);
    await expectRefused({ ...decision, delegation: await lent({}, hedy, old) }, 'expired', gated);
    const byAda = {
      ...(await ballotOf(grace, { onBehalfOf: ada.name })),
      delegation: await lent({ groups: ['platform'] }, ada),
    };
    await expectRefused(byAda, 'nobody approves their own request');
  });
});

describe('counted before', () => {
  const weighing = (): Omit<Weighing, 'ballot'> => ({
    gate,
    plan: { owner: 'ada@example.com', environment: 'production' },
    operation,
    requester: attested(ada),
    directory,
    now: new Date(now.getTime() + 5 * 3_600_000),
  });

  test('still counts hours later, as of when it was signed', async () => {
    const counted = await weighed(ballotOf(grace));
    expect(await stillCounting(counted.counts ? [counted.vote] : [], weighing())).toHaveLength(1);
  });

  test('does not when the key was removed meanwhile, or when it was made up', async () => {
    const counted = await weighed(ballotOf(grace));
    if (!counted.counts) throw new Error('it counts');
    expect(await stillCounting([counted.vote], { ...weighing(), directory: directoryOf(ada, rosa) })).toEqual([]);
    const madeUp = {
      ...counted.vote,
      approver: 'rosa@example.com',
      ballot: { signed: { statement: '{}', signature: '' } },
    };
    expect(await stillCounting([madeUp], weighing())).toEqual([]);
  });

  test('what was taken back is no vote', async () => {
    const counted = await weighed(ballotOf(grace, { decision: 'withdraw' }));
    expect(await stillCounting(counted.counts ? [counted.vote] : [], weighing())).toEqual([]);
  });
});

test('who may decide now: people, in their time, of a group that is asked for, and not whoever asked', () => {
  const plan = { owner: 'grace@example.com', environment: 'production' };
  const names = (differs: Partial<GateState>): string[] => whoMayDecide(directory, { ...gate, ...differs }, plan, now);
  expect(names({})).toEqual(['grace@example.com', 'hedy@example.com', 'joan@example.com', 'rosa@example.com']);
  expect(names({ groups: ['owner'] })).toEqual(['grace@example.com']);
  expect(names({ groups: ['owner'], escalatedTo: 'security' })).toHaveLength(4);
  expect(names({ requester: 'automation/tenure', groups: ['platform'] })).toEqual(['grace@example.com']);
  expect(names({ requester: 'automation/tenure', behind: ['grace@example.com'], groups: ['platform'] })).toEqual([]);
  expect(names({ requester: 'somebody unknown', groups: ['platform'] })).toEqual([
    'ada@example.com',
    'grace@example.com',
  ]);
});

test('what cannot be known is thrown, so that it is asked again', async () => {
  const broken = new Proxy(directory, {
    get() {
      throw new TenureError('StoreUnavailable', 'the file is being written');
    },
  });
  await expect(weighed(ballotOf(grace), { directory: broken })).rejects.toMatchObject({ code: 'StoreUnavailable' });
});
