/** Whether terms can be carried out at all. What comes by a signal or a start may be anything. */
import { z } from 'zod';
import type { ExceptionTerms } from '../domain/exception.js';
import { afterwards } from '../domain/exception.js';
import { TenureError } from '../domain/errors.js';
import type { ExceptionSettings } from './options.js';
import { exceptionName } from './published.js';

const name = z.string().min(1).max(200);
const rule = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^*?\s]+$/);

const control = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('command'), name: z.string().min(1).max(63) }),
  z.strictObject({ kind: z.literal('http'), url: z.url().max(1_000), status: z.int().min(100).max(599) }),
  z.strictObject({ kind: z.literal('validate') }),
  z.strictObject({ kind: z.literal('sessions'), atMost: z.int().min(0).max(10_000) }),
]);

const schema = z.strictObject({
  v: z.literal(1),
  id: z.string().regex(exceptionName),
  identity: name.regex(/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/),
  rules: z.array(rule).min(1).max(20),
  reason: z.string().trim().min(15).max(1_000),
  controls: z.array(control).min(1).max(10),
  until: z.iso.datetime(),
  afterwards: z.enum(afterwards),
  ticket: z.string().min(1).max(200).exactOptional(),
  by: name,
  signed: z
    .strictObject({ statement: z.string().min(1).max(20_000), signature: z.string().min(1).max(20_000) })
    .exactOptional(),
});

/** Reads terms from outside. Throws `InvalidRequest` with what is wrong in them. */
export function readTerms(written: unknown): ExceptionTerms {
  const { success, data, error } = schema.safeParse(written);
  if (success) return data;
  throw refusal(error.issues.map(inWords).join('; '));
}

/** Demands that such terms can be carried out here. Throws `InvalidRequest`. Whether they may be is for policy. */
export function demandPossible(terms: ExceptionTerms, settings: ExceptionSettings, now: Date): void {
  if (Date.parse(terms.until) <= now.getTime()) throw refusal('until: it is over already');
  for (const control of terms.controls) demandKnown(control, settings);
}

function demandKnown(control: ExceptionTerms['controls'][number], { commands, hosts }: ExceptionSettings): void {
  if (control.kind === 'command' && !Object.hasOwn(commands, control.name))
    throw refusal(
      `controls: no program is named ${control.name} under exceptions.commands in the operator's file (${Object.keys(commands).join(', ') || 'there is none'})`,
    );
  if (control.kind !== 'http') return;
  const { protocol, host, username, password } = new URL(control.url);
  if (protocol !== 'http:' && protocol !== 'https:') throw refusal('controls: an address is http or https');
  if (username || password) throw refusal('controls: an address holds no credential');
  if (!hosts.includes(host))
    throw refusal(`controls: ${host} is none of exceptions.hosts in the operator's file; an operator adds it there`);
}

const expected: Readonly<Record<string, string>> = {
  id: 'expected lower-case letters, digits, dots and dashes',
  identity: 'expected the name of an identity',
  rules: 'expected the ids of one to twenty policies, without wildcards; see: tenure policy explain',
  reason: 'expected a sentence that says why, of 15 to 1,000 characters',
  controls:
    'expected one to ten, each kind=command name=…, kind=http url=… status=…, kind=validate, or kind=sessions at-most=…',
  until: 'expected an instant in UTC',
};

/** Names the field and repeats nothing of what it holds. */
function inWords({ path, code }: z.core.$ZodIssue): string {
  if (code === 'unrecognized_keys') return 'it has a field that exceptions do not have';
  const field = String(path[0] ?? 'the terms');
  return `${field}: ${expected[field] ?? 'not what is expected'}`;
}

function refusal(why: string): TenureError {
  return new TenureError('InvalidRequest', `these terms cannot be approved: ${why}`);
}
