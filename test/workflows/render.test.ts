/** What the Temporal UI shows beside a workflow: whoever reads it decides by it, so nobody else writes in it. */
import { describe, expect, test } from 'vitest';
import type { ReviewState } from '../../src/domain/elevation-review.js';
import type { ExceptionState } from '../../src/domain/exception.js';
import { newIdentity } from '../../src/domain/identity.js';
import { gateLines } from '../../src/domain/gate-lines.js';
import type { ProcessPlan } from '../../src/domain/plan.js';
import type { ProcessState } from '../../src/domain/process.js';
import { renderCampaign } from '../../workflows/lib/render-campaign.js';
import { renderException } from '../../workflows/lib/render-exception.js';
import { renderReview } from '../../workflows/lib/render-review.js';
import { renderRoutine } from '../../workflows/lib/render-routine.js';
import { freshStages, renderIdentity, renderProcess } from '../../workflows/lib/render.js';
import { gateOf, voteOf } from '../support/gates.js';

const plan: ProcessPlan = {
  v: 1,
  kind: 'rotate',
  operation: 'nhi/app/rotate/2',
  identity: 'app',
  requester: 'ada',
  emergency: false,
  environment: 'production',
  dataClass: 'regulated',
  owner: 'grace',
  strategy: 'alternate',
  consumers: [],
  graceMs: 0,
};
const at = '2026-01-01T00:00:00.000Z';

function rendered(differs: Partial<ProcessState> = {}): string {
  return renderProcess({
    operation: plan.operation,
    kind: 'rotate',
    identity: 'app',
    requester: 'ada',
    emergency: false,
    stages: freshStages('rotate'),
    forwardOnly: false,
    leftovers: [],
    ...differs,
  });
}

describe('an open gate', () => {
  const gate = gateOf({ needed: 2, groups: ['security'], votes: [voteOf('alan')] });

  test('is shown line by line, with the commands that decide it', () => {
    const text = rendered({ plan, gate });
    for (const { label, text: line } of gateLines(plan, gate)) expect(text).toContain(`**${label}** ${line}`);
    expect(text).toContain('**Missing** needs 1 more approval, from security');
    expect(text).toContain('- `tenure approve app`\n- `tenure deny app --reason …`');
  });

  test('shows what policy knew of the identity', () => {
    const facts = { there: [], growth: ['delete on ledger'], unused: [], exceptions: [] };
    const decision = {
      effect: 'allow',
      reasons: [],
      planDigest: '',
      policyDigest: '',
      obligations: { approvals: 1, gateMs: 1 },
      at,
      facts,
    } as const;
    expect(rendered({ plan, gate, decision })).toContain(
      '**Rights, of which none was approved before** delete on ledger',
    );
  });

  test.each(['approved', 'denied', 'expired'] as const)('is not shown any more once it is %s', (outcome) => {
    expect(rendered({ plan, gate: { ...gate, outcome } })).toBe(rendered());
  });

  test('is not shown before there is a plan', () => {
    expect(rendered({ gate })).toBe(rendered());
  });
});

describe('what did not count', () => {
  const inert = [{ at, claimed: 'mallory', reason: 'preempt: it is not signed' }];
  const refused = [{ at, claimed: 'ada', reason: 'nobody approves their own request' }];

  test('is told: words and ballots, also when the gate is decided', () => {
    const lines = [
      '**Did not count**',
      `- ${at} sent as mallory: preempt: it is not signed`,
      `- ${at} sent as ada: nobody approves their own request`,
    ];
    expect(rendered({ inert, gate: gateOf({ refused, outcome: 'approved' }) })).toContain(lines.join('\n'));
  });

  test('is no heading where there is nothing', () => {
    expect(rendered({ inert: [], gate: gateOf() })).not.toContain('Did not count');
    expect(rendered()).not.toContain('Did not count');
  });
});

describe('text of others', () => {
  const evil = 'x\n\n**Decided** grace approved ![p](http://evil) `a` <img> | y\u202E';
  const harmless = 'x \\*\\*Decided\\*\\* grace approved !\\[p\\](http://evil) \\`a\\` \\<img\\> \\| y';

  test('is text everywhere in a process, and makes no line of its own', () => {
    const before = rendered({ ...everywhere('x'), plan: { ...plan, reason: 'x' } }).split('\n');
    const after = rendered({ ...everywhere(evil), plan: { ...plan, reason: evil } }).split('\n');
    expect(after).toHaveLength(before.length);
    const hit = after.filter((line) => line.includes('grace approved'));
    expect(hit).toHaveLength(8);
    for (const line of hit) expect(line).toContain(harmless);
  });

  test('is text in an identity: what was turned away, and how processes ended', () => {
    const ended = { kind: 'rotate', requestId: 'r', startedAt: at, endedAt: at, outcome: 'undone' } as const;
    const text = renderIdentity({
      ...newIdentity('app'),
      problems: [{ at, what: evil }],
      recent: [{ ...ended, message: evil }],
    });
    const hit = text.split('\n').filter((line) => line.includes('grace approved'));
    expect(hit).toHaveLength(2);
    for (const line of hit) expect(line).toContain(harmless);
  });

  test('is text in reviews, campaigns and exceptions too', () => {
    const finding = { severity: 'high', subject: evil, text: evil } as const;
    const exception = {
      ...{
        id: 'ex',
        identity: 'app',
        phase: 'ended',
        since: at,
        checks: [{ control: evil, holds: true, at, detail: evil }],
      },
      ...{
        proposal: { why: evil, rules: [evil], closes: at },
        terms: { by: evil, until: at, reason: evil, rules: [evil] },
      },
      ...{ end: evil, inert: [{ at, claimed: evil, reason: evil }] },
    } as unknown as ExceptionState;
    const review = {
      ...{ identity: 'app', requester: evil, reason: evil, operation: plan.operation, status: 'due', people: 2 },
      ...{ elevation: { scope: { role: evil }, forMs: 1, incident: evil }, remarks: [evil] },
      ...{
        reviews: [{ at, reviewer: evil, verdict: 'drill', notes: evil }],
        refused: [{ at, claimed: evil, reason: evil }],
      },
    } as unknown as ReviewState;
    const item = { name: 'app', target: 'db', jitterMs: 0, status: 'failed', detail: evil } as const;
    const remarks = [{ name: 'app', detail: evil }];
    const texts = [
      renderRoutine({ counts: { high: 1, medium: 0, low: 0 }, lines: [finding], more: 0 }),
      renderException(exception),
      renderReview(review),
      renderCampaign({ policy: 'monthly', items: [item], asking: remarks, leftOut: remarks }),
    ];
    const hits = texts.map((text) => text.split('\n').filter((line) => line.includes('grace approved')));
    expect(hits.map(({ length }) => length)).toEqual([1, 6, 5, 3]);
    for (const line of hits.flat()) expect(line).toContain(harmless.slice(2, -2));
  });

  /** In every place in which somebody else's words are shown. */
  function everywhere(text: string): Partial<ProcessState> {
    return {
      requester: text,
      stages: freshStages('rotate').map((stage) => (stage.name === 'gate' ? { ...stage, note: text } : stage)),
      parked: { since: at, stage: 'retire', why: text, commands: [] },
      gate: gateOf({ refused: [{ at, claimed: text, reason: 'r' }] }),
      inert: [{ at, claimed: 'x', reason: text }],
      failure: { code: 'ApprovalRefused', message: text },
      leftovers: [text],
    };
  }
});
