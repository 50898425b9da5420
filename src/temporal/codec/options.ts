/** The part of the operator's file that is about the encryption of payloads. */
import { z } from 'zod';
import { slug } from '../../manifest/schema.js';
import { secretSource } from '../../stores/secret-source.js';

const place = z.string().min(1).max(1000);

/** Keys and tokens come from there: only a connection that nobody else can answer will do. */
const safeUrl = z
  .string()
  .max(2000)
  .refine((text) => isSafeUrl(text), {
    error: 'expected an https address | Write it as https://host/path; http is for this machine only.',
  });

const origin = z
  .string()
  .max(2000)
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, {
    error: 'expected an origin | Write scheme, host and port alone: https://temporal.example.com.',
  });

const jwt = z.strictObject({
  issuer: safeUrl.describe('Who issues the tokens: `iss`.'),
  audience: z.string().min(1).max(500).describe('Whom they are for: `aud`.'),
  jwks: safeUrl.optional().describe('Where its keys are. Without it, as the issuer’s OpenID configuration says.'),
  require: z
    .record(z.string().min(1).max(200), z.array(z.string().min(1).max(500)).min(1).max(100))
    .default({})
    .describe('Claims that a token must have, each with one of these values: `{ groups: [operators] }`.'),
});

const codecServer = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(255)
      .default('127.0.0.1')
      .describe('Where it listens. Elsewhere than here only with `tls`.'),
    port: z.int().min(0).max(65_535).default(8889),
    origins: z
      .array(origin)
      .max(20)
      .default([])
      .describe('Origins of the Temporal UIs that may ask, and no others: `https://temporal.example.com`.'),
    token: secretSource.optional().describe('A bearer token of at least 32 characters.'),
    jwt: jwt.optional().describe('The access tokens of the UI’s users count.'),
    tls: z.strictObject({ certificate: place, key: place }).optional().describe('PEM files, relative to this file.'),
  })
  .describe('`tenure codec-server`, which decodes payloads for the Temporal UI.');

/** `encryption` in the operator's file. */
export const encryptionSchema = z
  .strictObject({
    keys: z
      .array(
        z.strictObject({
          id: slug().describe('Stands beside each payload, in clear.'),
          key: secretSource.describe('As `tenure key make codec` makes it, or 32 bytes in base64.'),
        }),
      )
      .min(1)
      .max(100)
      .describe('Every key that payloads were ever encrypted with.'),
    current: slug().optional().describe('Id of the key that encrypts. Needed where there are several.'),
    encrypt: z.boolean().default(true).describe('`false`: what was encrypted can be read, and nothing more is.'),
    codecServer: codecServer.optional(),
  })
  .check(({ value, issues }) => {
    const wrong = mistakeIn(value);
    if (wrong) issues.push({ code: 'custom', input: value, path: [wrong.at], message: wrong.message });
  })
  .optional()
  .describe('Encrypts what Temporal keeps of requests, plans and results.');

function mistakeIn({
  keys,
  current,
}: {
  readonly keys: readonly { readonly id: string }[];
  readonly current?: string | undefined;
}): { readonly at: 'keys' | 'current'; readonly message: string } | undefined {
  const ids = keys.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) return { at: 'keys', message: `two keys are called ${twice} | Give each an id of its own.` };
  if (current === undefined && keys.length > 1)
    return { at: 'current', message: `it is not said which key encrypts | Write current: ${ids.at(-1)}.` };
  if (current !== undefined && !ids.includes(current))
    return { at: 'current', message: `no key is called ${current} | Name one of: ${ids.join(', ')}.` };
  return undefined;
}

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username } = new URL(text);
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return username === '' && (protocol === 'https:' || (protocol === 'http:' && isHere));
}
