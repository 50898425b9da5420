/** The manifest as teams write it. The JSON Schema for editors is made from these schemas; see `json-schema.ts`. */
import { z } from 'zod';
import { identityKinds, strategies } from '../domain/identity.js';
import { bytesOfTags, longestTags, mostTags } from '../domain/tags.js';
import { durationPattern, formatDuration, longestDurationMs, parseDuration } from './duration.js';

/** A message is "what was expected | what to do". */
const expected = (what: string, fix: string): string => `expected ${what} | ${fix}`;

export const printable = (max: number) => z.string().trim().min(1, expected('some text', 'Write it.')).max(max);

export const slug = (max = 63) =>
  z
    .string()
    .max(max)
    .regex(
      /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/,
      expected(
        'a name of lower-case letters, digits, dots, dashes and underscores, starting and ending with a letter or digit',
        'Rename it.',
      ),
    );

/** `30d`, `1h30m`, `90s`; becomes milliseconds. */
export function duration(min: number, max = longestDurationMs) {
  return z
    .string()
    .meta({ pattern: durationPattern })
    .transform((text, context) => {
      const ms = parseDuration(text);
      const fits = ms !== undefined && ms >= min && ms <= max;
      if (fits) return ms;
      const range = `between ${formatDuration(min)} and ${formatDuration(max)}`;
      context.addIssue({
        code: 'invalid_format',
        format: 'duration',
        message: expected(
          `a duration ${range}, such as 30d, 12h or 1h30m`,
          'Write whole numbers with d, h, m or s, the largest first.',
        ),
      });
      return z.NEVER;
    });
}

/** An instant with its offset, as ISO 8601; becomes the same instant in UTC. */
export const instant = z
  .string()
  .meta({ format: 'date-time' })
  .transform((text, context) => {
    const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
    const ms = isInstant && isRealDate(text) ? Date.parse(text) : NaN;
    if (!Number.isNaN(ms)) return new Date(ms).toISOString();
    context.addIssue({
      code: 'invalid_format',
      format: 'datetime',
      message: expected(
        'an instant with its offset, such as 2026-12-24T00:00:00+01:00',
        'Write date, time and offset (or Z).',
      ),
    });
    return z.NEVER;
  });

/** `Date.parse` takes 31 February for 3 March. */
function isRealDate(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** A period in which nothing changes. */
export const freezeSchema = z
  .strictObject({
    from: instant.describe('First instant of the freeze.'),
    to: instant.describe('First instant after the freeze.'),
    reason: printable(200).describe('Shown wherever the freeze holds something up.'),
  })
  .superRefine((freeze, context) => {
    if (freeze.from >= freeze.to)
      context.addIssue({
        code: 'custom',
        path: ['to'],
        message: 'the freeze ends before it begins | Put the later instant in `to`.',
      });
  });

const grace = duration(0, 365 * 86_400_000);

/** A rotation policy, named under `policies` or written inside an identity. */
export const policyFields = {
  every: duration(60_000).optional().describe('Longest age of a credential, e.g. `30d`.'),
  cron: z.string().max(120).optional().describe('Five cron fields and a time zone, e.g. `0 3 1 * * Europe/Berlin`.'),
  manual: z.literal(true).optional().describe('Rotated only when asked.'),
  window: z
    .string()
    .max(300)
    .optional()
    .describe('The only times at which a scheduled rotation may start, e.g. `Sun 02:00-05:00 Europe/Berlin`.'),
  strategy: z
    .enum(strategies)
    .optional()
    .describe('How one credential follows another. The first that the target supports, unless written.'),
  grace: grace
    .optional()
    .describe(
      'How long the old credential may be used after the new one is published. `1h`, or a quarter of `every` if that is less.',
    ),
  jitter: grace.default(0).describe('Spread of the start of scheduled rotations. `0s`.'),
  freeze: z.array(freezeSchema).max(100).default([]).describe('Periods in which this identity is not changed.'),
  whenInUse: z
    .enum(['extend', 'ask', 'go-on'])
    .default('ask')
    .describe('What follows when the grace ends and the old credential is still used.'),
  whenNoWindow: z
    .enum(['skip', 'ask', 'break'])
    .default('skip')
    .describe('What to do when no window is left before the credential is too old.'),
  whenNotTaken: z
    .enum(['unwind', 'park'])
    .default('unwind')
    .describe('What follows when a consumer does not take the new credential.'),
};

const webhookUrl = z
  .string()
  .max(2000)
  .superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const problem =
      !url || !['http:', 'https:'].includes(url.protocol)
        ? 'expected an http or https address'
        : url.username || url.password
          ? 'the address holds a credential'
          : undefined;
    if (problem !== undefined)
      context.addIssue({
        code: 'custom',
        message: `${problem} | Write it as https://host/path; calls are signed with the operator's key.`,
      });
  });

const fileNotify = z
  .strictObject({
    path: z
      .string()
      .max(1000)
      .regex(/^\//, expected('an absolute path', 'Start it with a slash.'))
      .describe('Where the credential is written; absolute.'),
    format: z.enum(['json', 'dotenv', 'template']),
    template: z.string().max(20_000).optional().describe('With `format: template`; `{{field}}` becomes the value.'),
    mode: z.enum(['0600', '0640', '0660', '0400', '0440']).optional().describe('Permission bits, in quotes. `0600`.'),
  })
  .superRefine(({ format, template }, context) => {
    if ((format === 'template') === (template === undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['template'],
        message:
          format === 'template'
            ? 'the template is missing | Add `template`.'
            : '`template` has no meaning here | Write `format: template`, or remove it.',
      });
    }
  })
  .transform(({ path, format, template, mode }) => ({
    path,
    format,
    ...(template === undefined ? {} : { template }),
    ...(mode === undefined ? {} : { mode }),
  }));

const notifySchema = z.union([
  z.strictObject({ webhook: webhookUrl.describe('Called with a signed message.') }),
  z.strictObject({ command: z.array(printable(2000)).min(1).max(50).describe('Program and arguments; no shell.') }),
  z.strictObject({ file: fileNotify }),
  z.strictObject({ ack: z.literal('manual').describe('A person acknowledges with `tenure ack`.') }),
]);

const consumerSchema = z
  .strictObject({
    name: slug(),
    notify: notifySchema.describe('How it hears of a new credential: one of webhook, command, file, ack.'),
    after: z.array(slug()).max(50).optional().describe('Consumers that have to acknowledge before this one is told.'),
    timeout: duration(1000, 30 * 86_400_000)
      .optional()
      .describe('How long to wait for the acknowledgement.'),
  })
  .transform(({ name, notify, after, timeout }) => ({
    name,
    notify,
    ...(after === undefined ? {} : { after }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  }));

const storePath = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/,
    expected('a path such as payments/db', 'Use letters, digits, dots, dashes and underscores between single slashes.'),
  )
  .refine((text) => !text.split('/').some((step) => step === '.' || step === '..'), {
    error: expected('a path of names, without dots alone', 'Write the whole path.'),
  });

/** Temporal holds all tags of an identity in one value of limited size. */
const tags = z
  .record(slug(40), printable(100))
  .meta({ maxProperties: mostTags })
  .refine((all) => Object.keys(all).length <= mostTags && bytesOfTags(all) <= longestTags, {
    error: expected(`at most ${mostTags} tags, with ${longestTags} bytes in all`, 'Shorten them, or remove some.'),
  });

/** The fields of one identity. */
export const identityFields = {
  name: slug().describe('Unique for all time; the workflow id is `nhi/<name>`.'),
  kind: z.enum(identityKinds),
  owner: z
    .strictObject({ person: printable(200).describe('Who answers for it.'), team: printable(100).optional() })
    .transform(({ person, team }) => ({ person, ...(team === undefined ? {} : { team }) })),
  purpose: printable(500).describe('What it is for, in one sentence.'),
  environment: slug().describe('For example `production`; the operator says which environments need approval.'),
  dataClass: z.enum(['public', 'internal', 'confidential', 'regulated']).default('internal'),
  target: z.strictObject({
    name: slug().describe("Name of a target in the operator's `tenure.yaml`."),
    scope: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('The rights, as the page of the target describes them.'),
  }),
  deliver: z
    .array(z.strictObject({ store: slug(), path: storePath }))
    .min(1)
    .max(20)
    .describe('Where consumers read it; the first is authoritative.'),
  consumers: z.array(consumerSchema).max(100).default([]),
  rotation: z.union([slug(), z.strictObject(policyFields)]).describe('The name of a policy, `manual`, or a policy.'),
  tags: tags.default({}).describe('Free labels, e.g. `vendor: acme`; at most 20.'),
};

/** The top level of a manifest, with its entries still unchecked: each is checked for itself. */
export const documentFields = {
  identities: z.array(z.unknown()).max(20_000).optional(),
  policies: z.record(z.string(), z.unknown()).optional(),
};

/** The whole manifest, for the JSON Schema. */
export const manifestSchema = z.strictObject({
  identities: z
    .array(z.strictObject(identityFields))
    .optional()
    .describe('The non-human identities that this file declares.'),
  policies: z
    .record(slug(), z.strictObject(policyFields))
    .optional()
    .describe('Rotation policies that identities name in `rotation`.'),
});

/** A rotation policy as written, durations in milliseconds. */
export type WrittenPolicy = z.output<z.ZodObject<typeof policyFields>>;
