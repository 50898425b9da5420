import { Worker } from 'node:worker_threads';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../src/domain/decision.js';
import type { ExceptionPlan, ExceptionTerms } from '../../src/domain/exception.js';
import { approvedIn, type Declaration, type ProcessPlan } from '../../src/domain/plan.js';
import type { Vote } from '../../src/domain/process.js';
import { exceptionFactsOf, exceptionQuestion } from '../../src/exceptions/question.js';
import { digestOf } from '../../src/policy/digest.js';
import { policySource, type PolicyQuestion } from '../../src/policy/policy.js';
import { specOf } from '../support/spec.js';
import { everything, folderOf, gate, policyIn, write } from './folder.js';
import { attested, directory, now, personOf, planFor, questionOf, voteOf } from './scene.js';

const approved = 'context.approvals.count >= 1';
const production = { productionEnvironments: ['production'] };

describe('a decision', () => {
  test('is bound to the plan, the policies and everything that it was made from', async () => {
    const policy = await policyIn(everything);
    const question = questionOf();
    const decision = policy.decide(question);
    expect(decision).toMatchObject({
      effect: 'allow',
      reasons: ['everything'],
      planDigest: digestOf(question.plan),
      policyDigest: policy.digest,
      inputDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      obligations: { approvals: 0, gateMs: 0 },
      at: now.toISOString(),
    });
    expect(policy.decide(question)).toEqual(decision);
    const others = [
      questionOf({ environment: 'production' }),
      questionOf({}, { requester: attested('bob@example.com') }),
      questionOf({}, { facts: { ...question.facts, growth: ['more'] } }),
      questionOf({}, { votes: [voteOf('bob@example.com', question.plan)] }),
    ];
    for (const other of others) expect(policy.decide(other).inputDigest).not.toBe(decision.inputDigest);
  });

  test('is a denial where nothing permits it, and says who asked for what', async () => {
    const policy = await policyIn('@id("others")\npermit(principal == Tenure::Person::"x", action, resource);');
    expect(policy.decide(questionOf())).toMatchObject({
      effect: 'deny',
      reasons: ['nothing-permits'],
      code: 'PolicyDenied',
      message:
        'ledger: no policy lets ada@example.com (person) ask to rotate it. Ask somebody who may, or add a permit.',
    });
  });

  test('lists the policies that deny in the same order each time, with their sentences', async () => {
    const forbid = (id: string) =>
      `@id("${id}")\n@message("No ${id}.")\n@fix("Fix ${id}.")\nforbid(principal, action, resource);`;
    const policy = await policyIn(everything, ...['e', 'b', 'd', 'a', 'c'].map(forbid));
    for (let times = 0; times < 20; times += 1) {
      const { reasons, message } = policy.decide(questionOf());
      expect(reasons).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(message).toMatch(/^ledger: No a\. Fix a\. No b\./);
    }
  });
});

describe('what cannot be evaluated is denied', () => {
  const failed = (what: RegExp) => ({
    effect: 'deny',
    reasons: ['policy-error'],
    code: 'PolicyDenied',
    message: expect.stringMatching(what),
    obligations: { approvals: 0, gateMs: 0 },
  });

  test('also where the policy that fails is a forbid, which Cedar leaves out', async () => {
    const overflow = 'context.growthCount + 9223372036854775807 > 0 && context.growthCount > 100';
    const policy = await policyIn(
      everything,
      `@id("f")\n@message("m")\nforbid(principal, action, resource) when { ${overflow} };`,
    );
    expect(policy.decide(questionOf()).effect).toBe('allow');
    const grown = questionOf({}, { facts: { there: [], growth: ['one'], unused: [], exceptions: [] } });
    expect(policy.decide(grown)).toMatchObject(failed(/overflow/));
  });

  test.each<[string, Partial<ProcessPlan>, RegExp]>([
    ['an elevation that lends nothing', { kind: 'elevate' }, /does not say what is lent/],
    ['an emergency of another kind', { emergency: true }, /may only revoke, and this asks to rotate/],
    ['a kind that the schema does not know', { kind: 'lend' as never }, /lend/],
    ['a duration that is none', { declared: { kind: 'agent', everyMs: 1.5, tags: {} } }, /maxAge.*invalid duration/],
    ['a tag that is no text', { declared: { kind: 'agent', tags: { a: 1 as never } } }, /tag|type|conform/i],
  ])('%s', async (_title, plan, what) => {
    expect((await policyIn(everything)).decide(questionOf(plan))).toMatchObject(failed(what));
  });

  test('a plan that does not say what is declared', async () => {
    const question = questionOf();
    const { declared: _declared, ...plan } = question.plan;
    expect((await policyIn(everything)).decide({ ...question, plan })).toMatchObject(failed(/what is declared/));
  });

  test('a machine for which nobody answers', async () => {
    const { owner: _owner, ...nobodys } = attested('service/ledger');
    const decision = (await policyIn(everything)).decide(questionOf({}, { requester: nobodys }));
    expect(decision).toMatchObject(failed(/nobody answers for service\/ledger/));
  });
});

describe('a gate', () => {
  const two = gate(
    'two',
    'approvals: 2, groups: [security]',
    'context.approvals.count >= 2 && context.approvals.groups.contains("security")',
  );

  test('says whom it asks, and opens for them', async () => {
    const policy = await policyIn(everything, two);
    const question = questionOf();
    expect(policy.decide(question)).toMatchObject({
      effect: 'allow',
      reasons: ['two'],
      obligations: {
        approvals: 2,
        groups: ['security'],
        stepUp: false,
        gateMs: question.gateMs,
        gates: [
          { id: 'two', why: 'It waits for two.', controls: [], approvals: 2, groups: ['security'], stepUp: false },
        ],
      },
    });
    const votes = [voteOf('bob@example.com', question.plan), voteOf('cyd@example.com', question.plan)];
    expect(policy.decide({ ...question, votes })).toMatchObject({
      reasons: ['everything'],
      obligations: { approvals: 0 },
    });
  });

  test('is asked of nobody where the plan would be denied anyway', async () => {
    const forbid = '@id("never")\n@message("Never.")\nforbid(principal, action, resource);';
    expect((await policyIn(everything, two, forbid)).decide(questionOf())).toMatchObject({
      effect: 'deny',
      reasons: ['never'],
      message: 'ledger: Never.',
      obligations: { approvals: 0 },
    });
    expect((await policyIn(two)).decide(questionOf())).toMatchObject({ effect: 'deny', reasons: ['nothing-permits'] });
  });

  test('together with others asks for the most people, every group, and a security key where one of them does', async () => {
    const stepUp = gate('key', 'stepUp: true, groups: [owner|platform]', 'context.approvals.stepUp >= 1');
    const { obligations } = (await policyIn(everything, two, stepUp)).decide(questionOf());
    expect(obligations).toMatchObject({ approvals: 2, groups: ['owner|platform', 'security'], stepUp: true });
    expect(obligations.gates?.map(({ id }) => id)).toEqual(['key', 'two']);
  });

  test('asks for everything again where votes were not enough, since they count for one round', async () => {
    const one = gate('one', 'groups: [platform]', 'context.approvals.groups.contains("platform")');
    const policy = await policyIn(everything, one, two);
    const question = questionOf();
    const decision = policy.decide({ ...question, votes: [voteOf('bob@example.com', question.plan)] });
    expect(decision.reasons).toEqual(['two']);
    expect(decision.obligations).toMatchObject({ approvals: 2, groups: ['platform', 'security'] });
  });

  test('that stays shut although it got what it asked for stays shut', async () => {
    const liar = gate('liar', 'approvals: 1', 'context.approvals.count >= 3');
    const policy = await policyIn(everything, liar);
    const question = questionOf();
    const votes = [voteOf('bob@example.com', question.plan)];
    expect(policy.decide({ ...question, votes })).toMatchObject({ reasons: ['liar'], obligations: { approvals: 1 } });
  });

  test('that fires only because of votes is named', async () => {
    const odd = gate('odd', 'approvals: 1', 'context.approvals.count < 1');
    const policy = await policyIn(everything, odd);
    const question = questionOf();
    const votes = [voteOf('bob@example.com', question.plan)];
    expect(policy.decide({ ...question, votes })).toMatchObject({ reasons: ['odd'], obligations: { approvals: 1 } });
  });

  test.each<[string, string | undefined, string[]]>([
    ['is there where its only gate names one', 'leads', ['groups: [a], escalateTo: leads']],
    [
      'is there where all gates name the same',
      'leads',
      ['groups: [a], escalateTo: leads', 'groups: [b], escalateTo: leads'],
    ],
    [
      'is there where another gate asks for just this group',
      'leads',
      ['groups: [a], escalateTo: leads', 'groups: [leads]'],
    ],
    ['is there where another gate asks for no group', 'leads', ['groups: [a], escalateTo: leads', 'approvals: 2']],
    [
      'is not there where another gate takes nobody of it',
      undefined,
      ['groups: [a], escalateTo: leads', 'groups: [b]'],
    ],
    [
      'is not there where two gates name different ones',
      undefined,
      ['groups: [a], escalateTo: leads', 'groups: [b], escalateTo: others'],
    ],
    ['is not there where no gate names one', undefined, ['groups: [a]']],
  ])('the second group %s', async (_title, second, requirements) => {
    const gates = requirements.map((one, index) => gate(`g${index}`, one, approved));
    const { obligations } = (await policyIn(everything, ...gates)).decide(questionOf());
    expect(obligations.escalateTo).toBe(second);
  });
});

describe('a review afterwards', () => {
  const permit = (id: string, review?: string) =>
    `@id("${id}")\n${review === undefined ? '' : `@review("${review}")\n`}permit(principal, action, resource);`;

  test.each<[string, Decision['obligations']['review'], string[]]>([
    ['is what the permit says', { people: 2, withinMs: 86_400_000 }, [permit('a', 'people: 2, within: 1d')]],
    [
      'is the strictest of all permits that were used',
      { people: 2, withinMs: 3_600_000 },
      [permit('a', 'people: 2, within: 1d'), permit('b', 'people: 1, within: 1h'), permit('c')],
    ],
    ['is none where no permit says so', undefined, [permit('a')]],
  ])('%s', async (_title, review, texts) => {
    expect((await policyIn(...texts)).decide(questionOf()).obligations.review).toEqual(review);
    const gated = (await policyIn(...texts, gate('g', 'approvals: 1', approved))).decide(questionOf());
    expect(gated.obligations.review).toEqual(review);
  });
});

describe('approvals', () => {
  const opens = async (votes: Parameters<typeof questionOf>[1], needed = 1): Promise<boolean> => {
    const policy = await policyIn(everything, gate('g', 'approvals: 1', `context.approvals.count >= ${needed}`));
    return policy.decide(questionOf({}, votes)).obligations.approvals === 0;
  };
  const { plan } = questionOf();

  test.each<[string, boolean, Parameters<typeof questionOf>[1]]>([
    ['of somebody else count', true, { votes: [voteOf('bob@example.com', plan)] }],
    ['of the requester do not', false, { votes: [voteOf('ada@example.com', plan)] }],
    [
      'for the requester do not',
      false,
      { votes: [voteOf('bob@example.com', plan, { onBehalfOf: 'ada@example.com' })] },
    ],
    ['for somebody absent do', true, { votes: [voteOf('bob@example.com', plan, { onBehalfOf: 'cyd@example.com' })] }],
    ['that are denials do not', false, { votes: [voteOf('bob@example.com', plan, { decision: 'deny' })] }],
    ['of another plan do not', false, { votes: [voteOf('bob@example.com', plan, { planDigest: 'sha256:0' })] }],
    [
      'of who answers for the automation that asked do not',
      false,
      { requester: attested('automation/tenure'), votes: [voteOf('bob@example.com', plan)] },
    ],
    [
      'of others for the automation do',
      true,
      { requester: attested('automation/tenure'), votes: [voteOf('cyd@example.com', plan)] },
    ],
  ])('%s', async (_title, isOpen, differs) => {
    expect(await opens(differs)).toBe(isOpen);
  });

  test('count persons, not signatures', async () => {
    const bob = voteOf('bob@example.com', plan);
    expect(await opens({ votes: [bob, { ...bob, key: 'SHA256:z' }] }, 2)).toBe(false);
    expect(await opens({ votes: [bob, voteOf('cyd@example.com', plan)] }, 2)).toBe(true);
  });

  test('of somebody and of whoever decides for them are one', async () => {
    const forCyd = voteOf('bob@example.com', plan, { onBehalfOf: 'cyd@example.com' });
    expect(await opens({ votes: [forCyd, voteOf('cyd@example.com', plan)] }, 2)).toBe(false);
    expect(await opens({ votes: [forCyd, voteOf('dan@example.com', plan)] }, 2)).toBe(true);
  });

  test('with a security key are counted by themselves', async () => {
    const policy = await policyIn(everything, gate('g', 'stepUp: true', 'context.approvals.stepUp >= 1'));
    const decided = (stepUp: boolean) =>
      policy.decide(questionOf({}, { votes: [voteOf('bob@example.com', plan, { stepUp })] })).obligations.approvals;
    expect([decided(false), decided(true)]).toEqual([1, 0]);
  });

  test('in advance count where a policy says so, and not those of the requester', async () => {
    const policy = await policyIn(
      everything,
      gate('g', 'approvals: 1', `${approved} || context.advance.groups.contains("platform")`),
    );
    const owed = (approver: string) =>
      policy.decide(questionOf({}, { advance: [{ approver, groups: ['platform'] }] })).obligations.approvals;
    expect([owed('bob@example.com'), owed('ada@example.com')]).toEqual([0, 1]);
    const deaf = await policyIn(everything, gate('g', 'approvals: 1', approved));
    const asked = questionOf({}, { advance: [{ approver: 'bob@example.com', groups: ['platform'] }] });
    expect(deaf.decide(asked).obligations.approvals).toBe(1);
  });
});

describe('what policies see', () => {
  const isSeen = async (condition: string, ...asked: Parameters<typeof questionOf>): Promise<boolean> => {
    const policy = await policyIn(`@id("seen")\npermit(principal, action, resource) when { ${condition} };`);
    const { reasons } = policy.decide(questionOf(...asked));
    expect(reasons).not.toContain('policy-error');
    return reasons.includes('seen');
  };
  const to = questionOf().plan.to!;
  const declaredDigest = digestOf(approvedIn(questionOf().plan));
  const lastApproved = { operation: 'o', at: '', scopeDigest: '', toDigest: digestOf(to), declaredDigest };
  const facts = { there: [], growth: [], unused: [], exceptions: [] };
  /** What was declared before, where that was otherwise. */
  const was = (differs: Partial<Declaration>) => ({ before: { ...approvedIn(questionOf().plan), ...differs } });
  const moved = was({ environment: 'production' });
  const elevation = { scope: { grants: [{ on: 'ledger', may: ['update'] }] }, forMs: 60_000, incident: 'INC-1' };
  const { declared } = questionOf().plan;
  const otherwise: [string, Partial<ProcessPlan>][] = [
    ['owner', { owner: 'dan@example.com' }],
    ['team', { declared: { ...declared!, team: 'platform' } }],
    ['kind', { declared: { ...declared!, kind: 'agent' } }],
    ['tags', { declared: { ...declared!, tags: { a: 'b' } } }],
    ['every', { declared: { ...declared!, everyMs: 1 } }],
    ['strategy', { strategy: 'overlap' }],
    ['grace', { graceMs: 1 }],
    ['consumers', { consumers: [{ name: 'api', notify: { command: ['/bin/true'] } }] }],
    ['deliver', { to: { ...to, deliver: ['local:other'] } }],
  ];

  test.each<[string, boolean, string, ...Parameters<typeof questionOf>]>([
    ['production', true, 'resource.production', { environment: 'production' }],
    ['what left production', true, 'resource.production', moved],
    ['no production', false, 'resource.production', {}],
    ['the data class', true, 'resource.dataClass == "internal"', {}],
    ['the stricter data class of before', true, 'resource.dataClass == "regulated"', was({ dataClass: 'regulated' })],
    ['the stricter data class of after', true, 'resource.dataClass == "internal"', was({ dataClass: 'public' })],
    ['an owner in the directory', true, 'resource.ownerKnown', {}],
    ['an owner who is in none', false, 'resource.ownerKnown', { owner: 'x@example.com' }],
    ['an owner who is a machine', false, 'resource.ownerKnown', { owner: 'service/ledger' }],
    ['groups of the owner', true, 'resource.owner in Tenure::Group::"payments"', { owner: 'dan@example.com' }],
    ['groups of nobody', false, 'resource.owner in Tenure::Group::"payments"', { owner: 'x@example.com' }],
    ['groups of the requester', true, 'principal in Tenure::Group::"payments"', {}],
    ['the team', true, 'resource has ownerTeam && resource.ownerTeam == "payments"', {}],
    ['no team', false, 'resource has ownerTeam || resource has maxAge', { declared: { kind: 'agent', tags: {} } }],
    [
      'a tag',
      true,
      'resource.hasTag("a") && resource.getTag("a") == "b"',
      { declared: { kind: 'agent', tags: { a: 'b' } } },
    ],
    ['the target that comes', true, 'resource has target && resource.target == "db"', {}],
    ['the longest age', true, 'resource has maxAge && resource.maxAge == duration("30d")', {}],
    ['the rights', true, 'context.rights.lines.contains("select on table ledger") && context.rights.count == 1', {}],
    ['an unchanged plan', true, 'context.unchanged', {}, { facts: { ...facts, lastApproved } }],
    ['a first plan', false, 'context.unchanged || context.approvedBefore', {}],
    [
      'a plan with another past',
      false,
      'context.unchanged',
      {},
      { facts: { ...facts, lastApproved: { ...lastApproved, declaredDigest: 'x' } } },
    ],
    ['a plan that grew', false, 'context.unchanged', {}, { facts: { ...facts, growth: ['x'], lastApproved } }],
    ['a plan that moved', false, 'context.unchanged', moved, { facts: { ...facts, lastApproved } }],
    ['a plan that stayed', true, 'context.unchanged', was({}), { facts: { ...facts, lastApproved } }],
    ...otherwise.map(([name, differs]): [string, boolean, string, Partial<ProcessPlan>, object] => [
      `another ${name} than was approved`,
      false,
      'context.unchanged',
      differs,
      { facts: { ...facts, lastApproved } },
    ]),
    ...otherwise.map(([name, differs]): [string, boolean, string, Partial<ProcessPlan>] => [
      `what changes: ${name}`,
      true,
      `context.changes == ["${name}"]`,
      { ...differs, ...was({}) },
    ]),
    ['nothing that changes', true, 'context.changes.isEmpty()', was({})],
    [
      'the owner until now, and who shall be',
      true,
      'resource.owner == Tenure::Person::"dan@example.com" && resource.ownerAfter == Tenure::Person::"ada@example.com"',
      was({ owner: 'dan@example.com' }),
    ],
    [
      'who shall own it has no standing',
      false,
      'context.standing.contains("owner")',
      was({ owner: 'dan@example.com' }),
    ],
    ['the owner has standing', true, 'context.standing.contains("owner")', {}],
    [
      'the team until now, and the one that comes',
      true,
      'resource has ownerTeam && resource.ownerTeam == "platform" && resource has ownerTeamAfter && resource.ownerTeamAfter == "payments"',
      was({ declared: { kind: 'database-role', team: 'platform', tags: {} } }),
    ],
    ['an exception', true, 'context.exceptions.contains("seen")', {}, { facts: { ...facts, exceptions: ['seen'] } }],
    ['a freeze', true, 'context.frozen', {}, { frozen: true }],
    [
      'a ticket and a reason',
      true,
      'context has ticket && context.ticket == "T" && context has reason',
      { ticket: 'T', reason: 'r' },
    ],
    ['no ticket', false, 'context has ticket || context has reason', {}],
    ['the time', true, 'context.now > datetime("2026-03-01") && context.now < datetime("2026-03-02")', {}],
    [
      'how the requester signed',
      true,
      'context.presence == "pin"',
      {},
      { requester: attested('ada@example.com', { presence: 'pin' }) },
    ],
    [
      'who answers for a machine',
      true,
      'principal is Tenure::Service && principal.owner == resource.owner',
      {},
      { requester: attested('service/ledger') },
    ],
    [
      'an agent',
      true,
      'principal is Tenure::Agent',
      {},
      { requester: attested('x', { kind: 'agent', owner: 'ada@example.com' }) },
    ],
    ['a repair', true, 'action == Tenure::Action::"repair"', { kind: 'validate', repair: true }],
    ['a look', true, 'action == Tenure::Action::"validate"', { kind: 'validate' }],
    ['an emergency', true, 'action == Tenure::Action::"emergency-revoke"', { kind: 'revoke', emergency: true }],
    [
      'a loan',
      true,
      'action == Tenure::Action::"elevate" && context has elevation && context.elevation.lasts == duration("1m")',
      { kind: 'elevate', elevation },
    ],
  ])('%s', async (_title, seen, condition, ...asked) => {
    expect(await isSeen(condition, ...asked)).toBe(seen);
  });

  test('the target that goes, or none', async () => {
    const { to: _to, ...plan } = questionOf({
      kind: 'revoke',
      from: { target: 'old', principal: 'p', version: '1', scope: {} },
    }).plan;
    const policy = await policyIn(
      '@id("seen")\npermit(principal, action, resource) when { resource has target && resource.target == "old" };',
    );
    expect(policy.decide({ ...questionOf(), plan }).effect).toBe('allow');
    const { from: _from, ...bare } = plan;
    expect(policy.decide({ ...questionOf(), plan: bare }).reasons).toEqual(['nothing-permits']);
    const empty = await policyIn(
      '@id("seen")\npermit(principal, action, resource) when { context.rights.lines.isEmpty() };',
    );
    expect(empty.decide({ ...questionOf(), plan }).effect).toBe('allow');
    expect(empty.decide(questionOf()).effect).toBe('deny');
  });

  test('an owner whose time in the directory is over is none', async () => {
    const left = { ...personOf('ada@example.com'), to: '2026-02-01T00:00:00.000Z' };
    const parties = [left, ...directory.parties.slice(1)];
    expect(await isSeen('resource.ownerKnown', {}, { directory: { ...directory, parties } })).toBe(false);
  });
});

describe('policies in a folder', () => {
  test('hold as soon as they are changed', async () => {
    const path = await folderOf({ 'a.cedar': everything });
    const source = policySource({ path, ...production });
    const before = await source.current();
    expect(await source.current()).toBe(before);
    await write(path, { 'b.cedar': gate('g', 'approvals: 1', approved) });
    const after = await source.current();
    expect(after.digest).not.toBe(before.digest);
    expect(after.decide(questionOf()).obligations.approvals).toBe(1);
    // What was asked of the old ones is still answered by them.
    expect(before.decide(questionOf()).obligations.approvals).toBe(0);
    expect(after.decide(questionOf()).obligations.approvals).toBe(1);
  });

  test('have a digest that depends on every file, its name and the settings', async () => {
    const digest = async (files: Record<string, string>, environments = ['production']) =>
      (await policySource({ path: await folderOf(files), productionEnvironments: environments }).current()).digest;
    const all = await Promise.all([
      digest({ 'a.cedar': everything }),
      digest({ 'b.cedar': everything }),
      digest({ 'a.cedar': `${everything}\n` }),
      digest({ 'a.cedar': everything }, ['production', 'live']),
    ]);
    expect(new Set(all).size).toBe(4);
    expect(await digest({ 'a.cedar': everything, 'README.md': 'x' })).toBe(all[0]);
    expect(await digest({ 'a.cedar': everything }, ['live', 'production'])).toBe(all[3]);
  });

  const refusal = async (files: Record<string, string | Uint8Array>): Promise<string> => {
    const path = await folderOf(files);
    const error = await policySource({ path, ...production })
      .current()
      .then(
        () => expect.unreachable(),
        (thrown: Error) => thrown,
      );
    expect(error).toMatchObject({ code: 'StoreUnavailable' });
    return error.message.replaceAll(path, '<folder>');
  };

  test.each<[string, Record<string, string | Uint8Array>, RegExp]>([
    [
      'broken text',
      { 'a.cedar': `// ä\n${everything}permit(principal,\n action resource);` },
      /<folder>\/a\.cedar:5:9: unexpected token `resource`/,
    ],
    [
      'an attribute that is none',
      {
        'a.cedar': `${everything}\n@id("b")\n@message("m")\nforbid(principal, action, resource)\nwhen { resource.tier > 1 };`,
      },
      /<folder>\/a\.cedar:7:\d+: .*attribute `tier`/,
    ],
    [
      'an attribute that may be absent',
      {
        'a.cedar': `${everything}\n@id("b")\n@message("m")\nforbid(principal, action, resource)\nwhen { context.ticket == "x" };`,
      },
      /a\.cedar:7:\d+: .*optional attribute `ticket`.*context has ticket/,
    ],
    [
      'a condition that never holds',
      { 'a.cedar': '@id("a")\npermit(principal, action == Tenure::Action::"rotate", resource is Tenure::Person);' },
      /a\.cedar:1:1: .*(impossible|apply)/,
    ],
    [
      'an id given twice',
      { 'a.cedar': everything, 'b.cedar': everything },
      /b\.cedar:1:1: the @id everything is given twice/,
    ],
    ['no id', { 'a.cedar': '\n\npermit(principal, action, resource);' }, /a\.cedar:3:1: it has no @id/],
    [
      'a template',
      { 'a.cedar': '@id("a")\npermit(principal == ?principal, action, resource);' },
      /a\.cedar:1:1: it is a template/,
    ],
    ['no policy', {}, /it holds no \.cedar file/],
    ['no UTF-8', { 'a.cedar': new Uint8Array([0xff, 0xfe, 0x00]) }, /a\.cedar:1:1: not UTF-8 text/],
  ])('allow nothing while there is %s', async (_title, files, words) => {
    expect(await refusal(files)).toMatch(words);
  });

  test('allow nothing while they cannot be read', async () => {
    const path = await folderOf({ 'a.cedar': everything });
    const source = policySource({ path, ...production });
    await source.current();
    await rm(path, { recursive: true });
    await expect(source.current()).rejects.toMatchObject({
      code: 'StoreUnavailable',
      message: expect.stringContaining('ENOENT'),
    });
    await write(path, { 'a.cedar': everything });
    expect((await source.current()).decide(questionOf()).effect).toBe('allow');
  });

  test('without a setting are those that come with Tenure', async () => {
    const policy = await policySource(production).current();
    expect(policy.decide(questionOf({ environment: 'production' })).reasons).toEqual(['production']);
  });
});

test('every thread prepares the policies for itself', async () => {
  const cedar = JSON.stringify(
    join(import.meta.dirname, '../../node_modules/@cedar-policy/cedar-wasm/nodejs/cedar_wasm.js'),
  );
  (await policyIn(everything)).decide(questionOf());
  const worker = new Worker(
    `const cedar = require(${cedar});
     const uid = { type: 'Tenure::Person', id: 'a' };
     const asked = { principal: uid, action: uid, resource: uid, context: {}, entities: [], preparsedPolicySetId: 'tenure' };
     require('node:worker_threads').parentPort.postMessage(cedar.statefulIsAuthorized(asked).type);`,
    { eval: true },
  );
  const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  expect(answer).toBe('failure');
});

describe('an exception', () => {
  const forbid = (id: string, unless = '') =>
    `@id("${id}")\n@message("m")\nforbid(principal, action, resource) when { resource.environment == "nowhere" }${unless};`;
  const listening = forbid('listening', ' unless { context.exceptions.contains("listening") }');
  const vain =
    '@id("vain")\n@message("v")\nforbid(principal, action == Tenure::Action::"except", resource) unless { context.exception.withoutEffect.isEmpty() };';
  const about = (rules: readonly string[], differs: Partial<ExceptionTerms> = {}): PolicyQuestion => {
    const terms: ExceptionTerms = {
      v: 1,
      id: 'x',
      identity: 'ledger',
      rules,
      reason: 'a test',
      controls: [],
      until: new Date(now.getTime() + 3_600_000).toISOString(),
      afterwards: 'rotate',
      by: 'ada@example.com',
      ...differs,
    };
    const facts = exceptionFactsOf(specOf('ledger'), terms, { commands: {} });
    const asking = { requester: attested(terms.by), directory, lifted: [], frozen: false, now, gateMs: 1_000 };
    return exceptionQuestion(terms, facts, asking);
  };

  test.each<[string, string[], 'allow' | 'deny']>([
    ['a policy that listens', ['listening'], 'allow'],
    ['what is overdue', ['rotation-overdue', 'certificate-expired'], 'allow'],
    ['a policy that does not listen', ['deaf'], 'deny'],
    ['no policy at all', ['constructor'], 'deny'],
    ['one that listens, among others', ['listening', 'deaf'], 'deny'],
  ])('from %s lifts it or not, and policy can see which', async (_what, rules, effect) => {
    const policy = await policyIn(everything, listening, forbid('deaf'), vain);
    expect(policy.decide(about(rules)).effect).toBe(effect);
  });

  test('lasts from when it was asked for; what says it was asked for in the future, from now', async () => {
    const hour =
      '@id("hour")\n@message("h")\nforbid(principal, action == Tenure::Action::"except", resource) when { context.exception.lasts > duration("1h") };';
    const policy = await policyIn(everything, hour);
    const askedAt = (ms: number) => {
      const statement = JSON.stringify({ iat: new Date(now.getTime() + ms).toISOString() });
      return policy.decide(about(['x'], { signed: { statement, signature: '' } })).effect;
    };
    expect([askedAt(0), askedAt(1_000), askedAt(-1_000)]).toEqual(['allow', 'allow', 'deny']);
    const year = about(['x'], {
      until: new Date(now.getTime() + 365 * 86_400_000).toISOString(),
      signed: {
        statement: JSON.stringify({ iat: new Date(now.getTime() + 365 * 86_400_000).toISOString() }),
        signature: '',
      },
    });
    expect(policy.decide(year).effect).toBe('deny');
  });

  test('is approved on its terms, whatever signature they carry, and by nobody who owns the identity', async () => {
    const policy = await policyIn(everything, gate('one', 'approvals: 1', 'context.approvals.count >= 1'));
    const question = about(['x']);
    const { terms } = question.plan as ExceptionPlan;
    const vote = (approver: string, differs: Partial<Vote> = {}) => ({
      ...voteOf(approver, planFor()),
      planDigest: digestOf(terms),
      ...differs,
    });
    const owed = (votes: readonly Vote[], plan = question.plan) =>
      policy.decide({ ...question, plan, votes }).obligations.approvals;
    expect(owed([vote('bob@example.com')])).toBe(0);
    const signed = { ...terms, signed: { statement: '{}', signature: 's' } };
    expect(owed([vote('bob@example.com')], { ...(question.plan as ExceptionPlan), terms: signed })).toBe(0);
    expect(owed([vote('bob@example.com', { planDigest: digestOf({ ...terms, rules: ['y'] }) })])).toBe(1);
    const owned = { ...(question.plan as ExceptionPlan), owner: 'bob@example.com' };
    expect(owed([vote('bob@example.com')], owned)).toBe(1);
    expect(owed([vote('cyd@example.com', { onBehalfOf: 'bob@example.com' })], owned)).toBe(1);
    expect(owed([vote('ada@example.com')])).toBe(1);
  });
});
