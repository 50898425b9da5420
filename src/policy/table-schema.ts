/** How table tests of policies are written: YAML files in `tests/` beside the policies. */
import { z } from 'zod';
import { presences } from '../domain/directory.js';
import { afterwards } from '../domain/exception.js';
import { identityKinds, strategies } from '../domain/identity.js';
import { duration } from '../manifest/schema.js';

const text = z.string().min(1).max(300);
const words = z.array(text).max(200);
const scope = z.record(z.string(), z.unknown());
const dataClass = z.enum(['public', 'internal', 'confidential', 'regulated']);
const labels = { environment: text, dataClass };

const identity = z.strictObject({
  name: text.default('ledger'),
  kind: z.enum(identityKinds).default('database-role'),
  environment: text.default('test'),
  dataClass: dataClass.default('internal'),
  owner: text.default('ada@example.com'),
  team: text.nullable().default('payments'),
  every: duration(1_000)
    .nullable()
    .default(30 * 86_400_000),
  strategy: z.enum(strategies).default('alternate'),
  target: text.default('ledger-db'),
  scope: scope.default({ grants: [{ on: 'ledger', may: ['select'] }] }),
  tags: z.record(z.string(), z.string()).default({}),
});

const approval = z.union([
  text,
  z.strictObject({ by: text, stepUp: z.boolean().default(false), onBehalfOf: text.optional() }),
]);

const facts = z.strictObject({
  /** `same`: as in the plan; `other`: something about it was different; `none`: there was none. */
  lastApproved: z.enum(['same', 'other', 'none']).default('none'),
  growth: words.default([]),
  unused: words.default([]),
  exceptions: words.default([]),
});

/** What can be asked for. */
export const asks = [
  'provision',
  'rotate',
  'validate',
  'repair',
  'revoke',
  'emergency-revoke',
  'offboard',
  'elevate',
  'amend',
  'except',
] as const;

/** A question as it is written; what it does not say is as plain as can be. */
export const givenSchema = z.strictObject({
  ask: z.enum(asks),
  by: text.default('ada@example.com'),
  presence: z.enum(presences).default('none'),
  identity: identity.prefault({}),
  /** As it is declared until now, where that is otherwise. */
  before: z
    .strictObject({
      ...labels,
      owner: text,
      team: text.nullable(),
      strategy: z.enum(strategies),
      /** Names of those that are told until now; none is afterwards. */
      consumers: words,
    })
    .partial()
    .optional(),
  elevation: z
    .strictObject({
      scope: scope.default({ grants: [{ on: 'ledger', may: ['update'] }] }),
      for: duration(1_000).default(3_600_000),
      incident: z.string().default('INC-1'),
    })
    .prefault({}),
  exception: z
    .strictObject({
      rules: words.default(['nothing-lives-for-ever']),
      for: duration(1_000).default(7 * 86_400_000),
      controls: z
        .array(z.enum(['command', 'http', 'validate', 'sessions']))
        .max(10)
        .default(['validate']),
      afterwards: z.enum(afterwards).default('rotate'),
    })
    .prefault({}),
  approvals: z.array(approval).max(20).default([]),
  advance: words.default([]),
  facts: facts.prefault({}),
  frozen: z.boolean().default(false),
  ticket: text.optional(),
  reason: text.optional(),
  at: z.iso.datetime().default('2026-03-02T12:00:00Z'),
});

const ids = z.array(text).min(1).max(100);
const expected = z
  .union([
    z.literal('allow'),
    z.strictObject({ allow: ids, review: z.int().optional() }),
    z.strictObject({ deny: ids }),
    z.strictObject({
      needs: ids,
      approvals: z.int().optional(),
      groups: words.optional(),
      stepUp: z.boolean().optional(),
      review: z.int().optional(),
    }),
  ])
  .describe('allow, or { allow | deny | needs: the ids of the policies that decide, sorted }.');

const row = z.strictObject({ name: text, given: givenSchema, expect: expected });

/** The fields of a file of tests. */
export const tableFields = {
  people: z
    .record(z.string(), words)
    .default({
      'ada@example.com': ['payments'],
      'dan@example.com': ['payments'],
      'bob@example.com': ['platform'],
      'cyd@example.com': ['security'],
      'rex@example.com': ['responders'],
    })
    .describe('Everybody in the directory, with their groups.'),
  machines: z
    .record(z.string(), z.strictObject({ kind: z.enum(['service', 'agent', 'automation']), owner: text }))
    .default({
      'automation/tenure': { kind: 'automation', owner: 'bob@example.com' },
      'service/ledger': { kind: 'service', owner: 'ada@example.com' },
      'agent/helper': { kind: 'agent', owner: 'ada@example.com' },
    })
    .describe('What can ask, and whose it is.'),
  productionEnvironments: words.default(['production']),
  tests: z.array(row).min(1).max(2_000),
};

export type TableRow = z.output<typeof row>;
export type Given = TableRow['given'];
export type Expected = TableRow['expect'];
export type Cast = { readonly [K in 'people' | 'machines']: z.output<(typeof tableFields)[K]> };

/** Who there is where a file does not say. */
export const usualCast: Cast = {
  people: tableFields.people.parse(undefined),
  machines: tableFields.machines.parse(undefined),
};
