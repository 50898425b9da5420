/** in-toto Statements v1: what a record says, about which things by digest. */
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import { identityId } from '../domain/wire.js';

export const statementType = 'https://in-toto.io/Statement/v1';

export interface InTotoStatement<P = unknown> {
  readonly _type: typeof statementType;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: string;
  readonly predicate: P;
}

const schema = z.strictObject({
  _type: z.literal(statementType),
  subject: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
      }),
    )
    .min(1),
  predicateType: z.string().min(1),
  predicate: z.looseObject({}),
});

/** Makes a statement's canonical text. `digests` are `sha256:<hex>`. */
export function statementText(
  subject: readonly { readonly name: string; readonly digest: string }[],
  predicateType: string,
  predicate: unknown,
): string {
  return canonicalJson({
    _type: statementType,
    subject: subject.map(({ name, digest }) => ({ name, digest: { sha256: digest.replace(/^sha256:/, '') } })),
    predicateType,
    predicate,
  });
}

/** Reads a statement in its canonical form; undefined for anything else. */
export function parseStatement(text: string): InTotoStatement<Record<string, unknown>> | undefined {
  try {
    const { success, data } = schema.safeParse(JSON.parse(text));
    return success && canonicalJson(data) === text ? data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What an entry is found under: its first subject, and the run that the predicate was made in. `also`: what is about an identity and is not
 * named after it is found under the identity too.
 */
export function namesOf(text: string): { readonly operation: string; readonly run: string; readonly also?: string } {
  const statement = parseStatement(text);
  if (!statement)
    throw new TenureError('InvalidRequest', 'only the canonical text of an in-toto Statement can be appended');
  const { run, identity } = statement.predicate as { run?: unknown; identity?: unknown };
  const operation = statement.subject[0]!.name;
  const home = typeof identity === 'string' ? `${identityId(identity)}/` : '';
  return {
    operation,
    run: typeof run === 'string' ? run : '',
    ...(!operation.startsWith(home) && { also: `${home}${operation}` }),
  };
}
