/** The part of the operator's file that is about evidence. */
import { z } from 'zod';
import { secretSource } from '../stores/secret-source.js';
import { isLogName } from './note.js';

const httpUrl = z
  .string()
  .max(2_000)
  .refine((text) => /^https?:\/\/[^\s@]+$/.test(text), {
    error: 'expected an http or https address | Write it as https://host.',
  });

const s3 = z.strictObject({
  bucket: z.string().min(3).max(63).describe('A bucket made with object lock, which switches versioning on.'),
  region: z.string().min(1).max(50),
  endpoint: httpUrl.optional().describe('For a server other than that of AWS.'),
  prefix: z
    .string()
    .max(500)
    .regex(/^([^/]+\/)*$/)
    .default('')
    .describe('What the names of all objects begin with. Ends with a slash.'),
  retentionDays: z
    .int()
    .min(1)
    .max(36_500)
    .default(400)
    .describe('For how long nobody can delete an entry, not even the owner of the account.'),
});

export const evidenceSchema = z
  .strictObject({
    name: z
      .string()
      .refine(isLogName, {
        error: 'expected a name without spaces and plus | Write a name such as example.com/tenure.',
      })
      .default('tenure')
      .describe('Name of the log in its checkpoints; best an address of yours without a scheme. Never changes.'),
    key: secretSource
      .optional()
      .describe(
        'The Ed25519 key that signs the log, PKCS8 in PEM. Without one, `<stateDirectory>/keys/evidence.pem`, made at first use.',
      ),
    log: z
      .union([
        z.strictObject({ directory: z.string().min(1).max(1_000).describe('A folder that every worker shares.') }),
        z.strictObject({ s3 }),
      ])
      .optional()
      .describe('Where the log is. Without it, `<stateDirectory>/evidence`.'),
  })
  .prefault({})
  .describe('The append-only log of what was done, and on whose word.');

/** A log in a bucket. */
export type S3Options = z.output<typeof s3>;
