/** Reading statements: one exact form for each type, and nothing else. */
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.js';
import { verbs, type Statement, type StatementType } from '../domain/statement.js';
import { refused } from './refusal.js';

/** Bytes of a statement. The largest is an advance approval for many identities. */
export const longestStatement = 16_384;

/** No control characters, nothing invisible, nothing that turns the direction of the text: what is shown is what was signed. */
const isName = (text: string): boolean => !/\p{C}|(?! )\p{Z}/u.test(text);
const isReadable = (text: string): boolean => !/[^\P{Cc}\n]|[\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u.test(text);
const isInstant = (text: string): boolean => {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
};

const name = z.string().min(1).max(300).refine(isName);
const names = (most: number) => z.array(name).max(most);
const words = z.string().max(2_000).refine(isReadable);
const instant = z.string().length(24).refine(isInstant);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const common = { v: z.literal(1), iat: instant, exp: instant };

const schemas = {
  'tenure/request@v1': z.strictObject({
    ...common,
    typ: z.literal('tenure/request@v1'),
    id: name,
    verb: z.enum(verbs),
    subject: name,
    digest,
    requester: name,
    onBehalfOf: name.exactOptional(),
  }),
  'tenure/decision@v1': z.strictObject({
    ...common,
    typ: z.literal('tenure/decision@v1'),
    operation: name,
    run: name,
    round: name,
    plan: digest,
    policy: digest,
    evidence: digest,
    requester: name,
    approver: name,
    onBehalfOf: name.exactOptional(),
    decision: z.enum(['approve', 'deny', 'withdraw']),
    reason: words,
  }),
  'tenure/delegation@v1': z.strictObject({
    ...common,
    typ: z.literal('tenure/delegation@v1'),
    id: name,
    from: name,
    to: name,
    groups: names(100),
    environments: names(100),
    nbf: instant,
    reason: words,
  }),
  'tenure/advance@v1': z.strictObject({
    ...common,
    typ: z.literal('tenure/advance@v1'),
    id: name,
    approver: name,
    kinds: names(20).min(1),
    identities: names(200).min(1),
    reason: words,
  }),
  'tenure/review@v1': z.strictObject({
    ...common,
    typ: z.literal('tenure/review@v1'),
    operation: name,
    evidence: digest,
    reviewer: name,
    verdict: z.enum(['justified', 'drill', 'misuse']),
    notes: words,
  }),
} as const satisfies { readonly [K in StatementType]: z.ZodType<Extract<Statement, { typ: K }>> };

/** Reads a statement of one type. Throws `ApprovalRefused` for whatever is not exactly its canonical text. */
export function readStatement<K extends StatementType>(text: string, typ: K): Extract<Statement, { typ: K }> {
  const value = parsed(text);
  const found = (value as { typ?: unknown } | null)?.typ;
  if (found !== typ) throw refused('wrong-type', `this is no ${typ} statement`);
  const { success, data, error } = schemas[typ].safeParse(value);
  if (!success) throw refused('malformed', `the statement is no ${typ}: ${placesOf(error)}`);
  // Also what no schema sees: fields twice, their order, spaces, other ways to write a character.
  if (canonicalJson(value) !== text)
    throw refused(
      'not-canonical',
      'the statement is not in its canonical form (RFC 8785), so it is not what was signed',
    );
  return data as Extract<Statement, { typ: K }>;
}

/** The canonical text of a statement, which is what gets signed. Throws for one that {@link readStatement} would not take. */
export function statementText(statement: Statement): string {
  const text = canonicalJson(statement);
  readStatement(text, statement.typ);
  return text;
}

function parsed(text: string): unknown {
  if (Buffer.byteLength(text) > longestStatement)
    throw refused('too-large', `the statement has more than ${longestStatement} bytes`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refused('not-json', 'the statement is no JSON');
  }
}

/** Names the fields and repeats nothing of what they hold. */
function placesOf({ issues }: z.ZodError): string {
  const fields = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? ['a field that it does not have'] : [issue.path.join('.')],
  );
  return [...new Set(fields)].slice(0, 5).join(', ');
}
