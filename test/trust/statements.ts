/** One statement of each type, made at {@link now}. */
import type { Statement, StatementType } from '../../src/domain/statement.js';

export const now = new Date('2026-03-01T12:00:00.000Z');

/** So many milliseconds after now. */
export const at = (ms: number): string => new Date(now.getTime() + ms).toISOString();

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const common = { v: 1, iat: at(0), exp: at(600_000) } as const;

export const statements: { readonly [K in StatementType]: Extract<Statement, { typ: K }> } = {
  'tenure/request@v1': {
    ...common,
    typ: 'tenure/request@v1',
    id: 'r-1',
    verb: 'rotate',
    subject: 'payments-db',
    digest: digest('a'),
    requester: 'ada@example.com',
    onBehalfOf: 'schedule/monthly',
  },
  'tenure/decision@v1': {
    ...common,
    typ: 'tenure/decision@v1',
    operation: 'nhi/payments-db/rotate/3',
    run: '0190a0a0-0000-7000-8000-000000000001',
    round: 'n-1',
    plan: digest('b'),
    policy: digest('c'),
    evidence: digest('d'),
    requester: 'ada@example.com',
    approver: 'grace@example.com',
    decision: 'approve',
    reason: 'read it twice,\nand „compared“ it',
  },
  'tenure/delegation@v1': {
    ...common,
    typ: 'tenure/delegation@v1',
    id: 'd-1',
    from: 'grace@example.com',
    to: 'lin@example.com',
    groups: ['security'],
    environments: [],
    nbf: at(0),
    reason: '',
  },
  'tenure/advance@v1': {
    ...common,
    typ: 'tenure/advance@v1',
    id: 'v-1',
    approver: 'grace@example.com',
    kinds: ['rotate'],
    identities: ['payments-db', 'ledger-db'],
    reason: 'the move to the new cluster',
  },
  'tenure/review@v1': {
    ...common,
    typ: 'tenure/review@v1',
    operation: 'nhi/payments-db/elevate/1',
    evidence: digest('e'),
    reviewer: 'lin@example.com',
    verdict: 'justified',
    notes: '',
  },
};
