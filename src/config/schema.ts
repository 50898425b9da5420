/** The operator's file as it is written. The JSON Schema for editors is made from these schemas. */
import { z } from 'zod';
import { evidenceSchema } from '../evidence/options.js';
import { exceptionsSchema } from '../exceptions/options.js';
import { duration, freezeSchema, slug } from '../manifest/schema.js';
import { reviewSchema } from '../review/options.js';
import { secretSource } from '../stores/secret-source.js';
import { encryptionSchema } from '../temporal/codec/options.js';
import { directorySchema } from '../trust/directory-schema.js';

const httpUrl = z
  .string()
  .max(2000)
  .refine((text) => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol), {
    error: 'expected an http or https address | Write it as https://host/path.',
  });

const path = z.string().min(1).max(1000);
const connectors = z.record(z.string(), z.unknown()).default({});

/** The fields of the operator's file; the options of targets and stores are checked by their connectors. */
export const configFields = {
  stateDirectory: z
    .string()
    .min(1)
    .max(1000)
    .default('.tenure')
    .describe('Folder for evidence and the development server, relative to this file.'),
  targets: connectors.describe('Where credentials are accepted, by the name that manifests use.'),
  stores: connectors.describe('Where consumers read credentials, by the name that manifests use.'),
  consumers: z
    .strictObject({
      signingKey: secretSource.optional().describe('Key that webhooks are signed with, as Standard Webhooks says.'),
      programs: z
        .array(path.regex(/^\//, 'expected an absolute path | Start it with a slash.'))
        .max(200)
        .default([])
        .describe('The only programs that manifests may have the worker run, by absolute path; none named is none.'),
      folders: z
        .array(path)
        .max(200)
        .default([])
        .describe('The only folders, with those below, in which manifests may have files written; none named is none.'),
      hosts: z
        .array(z.string().min(1).max(300))
        .max(200)
        .default([])
        .describe('The only `host` or `host:port` that manifests may have called; none named is any.'),
    })
    .prefault({}),
  policy: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .max(1000)
        .optional()
        .describe(
          'Folder of your own policies (.cedar), relative to this file, instead of those that come with Tenure.',
        ),
      productionEnvironments: z
        .array(slug())
        .max(100)
        .default(['production'])
        .describe('Environments that policies take for production.'),
      gate: duration(60_000, 30 * 86_400_000)
        .default(86_400_000)
        .describe('How long a gate waits. `1d`.'),
      unusedAfter: duration(60_000, 3_650 * 86_400_000)
        .default(30 * 86_400_000)
        .describe('For how long a right is watched, and not seen in use, before it counts as unused. `30d`.'),
    })
    .prefault({}),
  directory: directorySchema,
  automation: z
    .strictObject({
      name: z.string().min(1).max(200).default('automation/tenure').describe('Its name in the directory.'),
      key: secretSource.optional().describe('Its private key as PEM. Without one, that which `tenure dev` made.'),
    })
    .prefault({})
    .describe('As whom the worker asks: for schedules, campaigns and the end of an elevation.'),
  evidence: evidenceSchema,
  encryption: encryptionSchema,
  exceptions: exceptionsSchema,
  review: reviewSchema,
  freezes: z
    .array(freezeSchema)
    .max(1000)
    .default([])
    .describe('Periods in which nothing changes but a recorded emergency.'),
  notices: z.strictObject({ webhook: httpUrl.optional().describe('Told what needs a person.') }).default({}),
  fleet: z
    .strictObject({
      perTarget: z
        .int()
        .min(1)
        .max(1000)
        .default(4)
        .describe('How many identities of one target are rotated at the same time.'),
    })
    .prefault({}),
};
