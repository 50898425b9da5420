/**
 * Cedar, asked so that it fails closed: a policy that fails while it is evaluated would be left out of the decision, and a failing
 * `forbid` left out is an open door. So every error is an answer of its own, and what asks takes it for a denial.
 */
import './v8-flag.js';
import cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarValueJson, DetailedError, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

export type { CedarValueJson, EntityJson, TypeAndId };

/** One question to Cedar: plain JSON. */
export interface CedarRequest {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  readonly entities: readonly EntityJson[];
}

/** `reasons`: sorted ids of the policies that decided. Cedar gives them in another order each time. */
export interface CedarAnswer {
  readonly allowed: boolean;
  readonly reasons: readonly string[];
}

/** Policies by id, with what they may speak of. */
export interface CedarSet {
  /** Of everything here: what is cached under it. */
  readonly digest: string;
  readonly schema: string;
  readonly policies: Readonly<Record<string, string>>;
  /** Ids of those that ask for people. */
  readonly gates: ReadonlySet<string>;
}

export const cedarVersion = `${cedar.getCedarVersion()} (language ${cedar.getCedarLangVersion()})`;

/** Names in Cedar's own memory. There are two and they are used again: nothing that was put there can be taken out. */
const names = { all: 'tenure', ungated: 'tenure-without-gates', schema: 'tenure' } as const;
let prepared: string | undefined;

/** Evaluates all policies, or those that ask nobody. Throws on every error, also on one that Cedar goes on without. */
export function evaluate(set: CedarSet, which: 'all' | 'ungated', request: CedarRequest): CedarAnswer {
  prepare(set);
  const answer = cedar.statefulIsAuthorized({
    ...request,
    entities: [...request.entities],
    preparsedSchemaName: names.schema,
    validateRequest: true,
    preparsedPolicySetId: names[which],
  });
  demand(answer);
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) throw new Error(inWords(diagnostics.errors.map(({ error }) => error)));
  return { allowed: decision === 'allow', reasons: diagnostics.reason.toSorted() };
}

/** Another worker thread has a memory of its own, and another folder of policies takes the place of the one before. */
function prepare({ digest, schema, policies, gates }: CedarSet): void {
  if (prepared === digest) return;
  prepared = undefined;
  const ungated = Object.fromEntries(Object.entries(policies).filter(([id]) => !gates.has(id)));
  demand(cedar.preparseSchema(names.schema, schema));
  demand(cedar.preparsePolicySet(names.all, { staticPolicies: { ...policies } }));
  demand(cedar.preparsePolicySet(names.ungated, { staticPolicies: ungated }));
  prepared = digest;
}

type Answer = { readonly type: 'success' } | { readonly type: 'failure'; readonly errors: readonly DetailedError[] };

/** A failure is neither allow nor deny. */
export function demand<A extends Answer>(answer: A): asserts answer is Extract<A, { readonly type: 'success' }> {
  if (answer.type === 'failure') throw new Error(inWords(answer.errors));
}

function inWords(errors: readonly DetailedError[]): string {
  return errors.map(({ message }) => message).join('; ');
}
