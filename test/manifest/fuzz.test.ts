import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ProcessInput } from '../../src/domain/process.js';
import { planOf } from '../../src/domain/plan.js';
import { diffManifests } from '../../src/manifest/diff.js';
import { formatProblem } from '../../src/manifest/problem.js';
import { policySource } from '../../src/policy/policy.js';
import { attested, questionOf } from '../policy/scene.js';
import { context, manifest, read } from './manifests.js';

const whole = manifest({
  consumers:
    '[{ name: api, notify: { webhook: http://127.0.0.1:9000/x }, timeout: 10m }, { name: job, notify: { command: [kill, -HUP] }, after: [api] }]',
  rotation: "{ every: 30d, window: 'Sun 02:00-05:00 Europe/Berlin', grace: 1h, jitter: 5m, strategy: alternate }",
  tags: '{ vendor: acme }',
});

const pieces = fc.oneof(
  fc.constantFrom(
    '\t',
    '\n',
    ': ',
    '- ',
    '? ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '<<: ',
    '!!map ',
    '|',
    '>',
    '"',
    "'",
    '#',
    '%YAML 1.1\n---\n',
    '---\n',
    '...\n',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'null',
    '~',
    '.nan',
    '.inf',
    '1e999',
    '0x10',
    '-0',
    '9999999999999999999',
    'no',
    'on',
    '',
    ' ',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);

/** A few cuts, copies and insertions anywhere in a manifest that was right. */
const mutated = fc
  .array(
    fc.record({
      at: fc.nat(),
      length: fc.nat({ max: 30 }),
      how: fc.constantFrom('insert', 'cut', 'replace', 'repeat'),
      piece: pieces,
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((edits) =>
    edits.reduce((text, { at, length, how, piece }) => {
      const from = at % (text.length + 1);
      const middle = text.slice(from, from + length);
      const put = { insert: piece + middle, cut: '', replace: piece, repeat: middle + middle }[how]!;
      return text.slice(0, from) + put + text.slice(from + length);
    }, whole),
  );

/** Any JSON where a part of the identity was. */
const replaced = fc
  .record({
    field: fc.constantFrom(
      'name',
      'kind',
      'owner',
      'purpose',
      'environment',
      'target',
      'deliver',
      'consumers',
      'rotation',
      'tags',
    ),
    value: fc.json({ maxDepth: 4 }),
  })
  .map(({ field, value }) => manifest({ [field]: value }));

function holds(text: string): void {
  const { identities, problems, sources } = read(text);
  for (const problem of problems) {
    expect(problem.line).toBeGreaterThan(0);
    expect(problem.column).toBeGreaterThan(0);
    expect(problem.problem).not.toMatch(/undefined|\[object|\n|\bat \S+\.[jt]s:\d+/);
    // oxlint-disable-next-line no-control-regex
    expect(formatProblem(problem)).not.toMatch(/[\u0000-\u001f]/);
    expect(formatProblem(problem).length).toBeLessThan(700);
  }
  for (const spec of identities) {
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(sources.has(spec.name)).toBe(true);
  }
  diffManifests(identities, new Map());
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
}

describe('whatever is written in a manifest', () => {
  it('ends in problems with a place, or in identities; nothing is thrown', () => {
    fc.assert(fc.property(mutated, holds), { numRuns: 600 });
  });

  it('and whatever JSON stands where a field was', () => {
    fc.assert(fc.property(replaced, holds), { numRuns: 300 });
  });

  it('and whatever bytes it is made of', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), holds), { numRuns: 300 });
  });

  it('and also when the check of a target breaks', () => {
    const broken = {
      ...context,
      checkScope: () => {
        throw new Error('at target.ts:1:1');
      },
    };
    expect(read(whole, broken).problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^m\.yaml:7:\d+ identities\[0\]\.target\.scope: .*could not be checked/),
    ]);
  });
});

describe('whatever is asked of an identity', () => {
  const [spec] = read(whole).identities;
  const requests = fc.record({
    kind: fc.constantFrom('provision', 'rotate', 'validate', 'revoke', 'offboard'),
    requester: fc.string(),
    reason: fc.option(fc.string(), { nil: undefined }),
    emergency: fc.option(fc.boolean(), { nil: undefined }),
    environment: fc.oneof(fc.constant('production'), fc.string()),
    owner: fc.oneof(fc.constant('ada@example.com'), fc.string()),
  });

  it('policy answers with a decision that gates production and offboarding, or denies with a reason', async () => {
    const policy = await policySource({ productionEnvironments: ['production'] }).current();
    fc.assert(
      fc.property(requests, ({ kind, requester, reason, emergency, environment, owner }) => {
        const request = {
          id: 'r',
          kind,
          requester,
          ...(reason === undefined ? {} : { reason }),
          ...(emergency === undefined ? {} : { emergency }),
        };
        const input = {
          kind,
          operation: 'o',
          identity: 'i',
          request,
          spec: { ...spec!, environment, dataClass: 'internal', owner: { person: owner } },
        };
        const plan = planOf(input as unknown as ProcessInput);
        const decision = policy.decide({ ...questionOf(), plan, requester: attested(requester) });
        expect(decision.planDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
        if (decision.effect === 'deny') {
          expect(decision).toMatchObject({ code: 'PolicyDenied', message: expect.stringContaining('i') });
          return;
        }
        const isGated =
          kind !== 'validate' &&
          !(kind === 'revoke' && emergency) &&
          (environment === 'production' || kind === 'offboard');
        expect(decision.obligations.approvals).toBe(isGated ? 1 : 0);
        if (kind === 'provision' || kind === 'rotate') expect(owner).toBe('ada@example.com');
      }),
      { numRuns: 500 },
    );
  });
});
