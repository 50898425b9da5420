/**
 * Cedar, asked so that it fails closed: a policy that fails while it is evaluated would be left out of the decision, and a failing
 * `forbid` left out is an open door. So every error is an answer of its own, and what asks takes it for a denial.
 */
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
export type CedarAnswer =
  | { readonly decided: 'allow' | 'deny'; readonly reasons: readonly string[] }
  | { readonly decided: 'error'; readonly what: string };

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

/** Evaluates all policies, or those that ask nobody. */
export function evaluate(set: CedarSet, which: 'all' | 'ungated', request: CedarRequest): CedarAnswer {
  const failure = prepare(set);
  if (failure !== undefined) return { decided: 'error', what: failure };
  const answer = cedar.statefulIsAuthorized({
    ...request,
    entities: [...request.entities],
    preparsedSchemaName: names.schema,
    validateRequest: true,
    preparsedPolicySetId: names[which],
  });
  if (answer.type === 'failure') return { decided: 'error', what: inWords(answer.errors) };
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0)
    return { decided: 'error', what: inWords(diagnostics.errors.map(({ error }) => error)) };
  return { decided: decision, reasons: diagnostics.reason.toSorted() };
}

function prepare({ digest, schema, policies, gates }: CedarSet): string | undefined {
  if (prepared === digest) return undefined;
  prepared = undefined;
  const ungated = Object.fromEntries(Object.entries(policies).filter(([id]) => !gates.has(id)));
  const answers = [
    cedar.preparseSchema(names.schema, schema),
    cedar.preparsePolicySet(names.all, { staticPolicies: { ...policies } }),
    cedar.preparsePolicySet(names.ungated, { staticPolicies: ungated }),
  ];
  for (const answer of answers) if (answer.type === 'failure') return inWords(answer.errors);
  prepared = digest;
  return undefined;
}

function inWords(errors: readonly DetailedError[]): string {
  return errors.map(({ message }) => message).join('; ');
}
