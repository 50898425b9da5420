/** What an approver is shown is what they sign: the workflow that answers may be anybody's. */
import { describe, expect, test } from 'vitest';
import { demandSame } from '../../src/cli/verbs/except-decide.js';
import type { ControlResult, Examined, ExceptionFacts, ExceptionTerms } from '../../src/domain/exception.js';
import type { GateState } from '../../src/domain/process.js';
import { evidenceOf } from '../../src/exceptions/evidence.js';
import { digestWithoutSignature } from '../../src/trust/statements.js';
import { termsOf } from '../support/exceptions.js';

const terms = termsOf();
const checks: ControlResult[] = [
  { control: 'it holds', holds: true, detail: 'exit code 0', at: '2026-01-01T00:00:00.000Z' },
];

const facts: ExceptionFacts = {
  environment: 'production',
  dataClass: 'regulated',
  owner: 'olga@example.com',
  declared: { kind: 'database-role', tags: {} },
  strategy: 'alternate',
  target: 'db',
  programs: 'sha256:0',
};

function shown(differs: {
  readonly terms?: Partial<ExceptionTerms>;
  readonly checks?: readonly ControlResult[];
  readonly gate?: Partial<GateState>;
  readonly id?: string;
  readonly facts?: Partial<ExceptionFacts>;
}): () => void {
  const gate = {
    planDigest: digestWithoutSignature(terms),
    evidenceDigest: evidenceOf(checks, facts),
    requester: terms.by,
    ...differs.gate,
  } as GateState;
  const examined = { facts: { ...facts, ...differs.facts } } as Examined;
  const state = { id: differs.id ?? terms.id, checks: differs.checks ?? checks, examined };
  return () => demandSame(state, { ...terms, ...differs.terms }, gate);
}

describe('nothing is signed', () => {
  test('but for what is shown', () => {
    expect(shown({})).not.toThrow();
  });

  test.each([
    ['rules', { terms: { rules: ['harmless'] } }],
    ['a later end', { terms: { until: '2030-01-01T00:00:00.000Z' } }],
    ['fewer controls', { terms: { controls: [] } }],
    ['another afterwards', { terms: { afterwards: 'validate' as const } }],
    ['a control that does not hold', { checks: [{ ...checks[0]!, holds: false }] }],
    ['no checks', { checks: [] }],
    ['a harmless environment', { facts: { environment: 'test' } }],
    ['another owner', { facts: { owner: 'ada@example.com' } }],
    ['another requester', { gate: { requester: 'mallory@example.com' } }],
    ['another exception', { id: 'another' }],
    ['another digest', { gate: { planDigest: `sha256:${'0'.repeat(64)}` } }],
  ])('where the workflow shows %s than it asks a signature for', (_what, differs) => {
    expect(shown(differs)).toThrow(expect.objectContaining({ code: 'ApprovalRefused' }));
  });

  test('anew where only the instant of a check has changed', () => {
    expect(shown({ checks: [{ ...checks[0]!, at: '2026-02-02T00:00:00.000Z' }] })).not.toThrow();
  });
});
