import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { TenureError } from '../domain/errors.js';
import type { Freeze } from '../domain/identity.js';
import { formatProblem, show, suggest } from '../manifest/problem.js';
import type { Problem } from '../manifest/problem.js';
import { readYamlFile } from '../manifest/read.js';
import { slug } from '../manifest/schema.js';
import { secretProblems, withSecretProblems } from '../manifest/secrets.js';
import { checkFields, issueProblems, problemAt } from '../manifest/shape.js';
import type { YamlDocument } from '../manifest/yaml.js';
import { storeTypes } from '../stores/registry.js';
import { targetTypes } from '../targets/registry.js';
import { encryptionOf } from './encryption.js';
import { findConfig } from './find.js';
import type { ConfigSearch } from './find.js';
import { configFields } from './schema.js';
import type { SecretSource, TenureConfig } from './types.js';

/** The connectors' own schemas, by the `type` that the operator's file uses. */
export interface ConnectorSchemas {
  readonly targets: Readonly<Record<string, z.ZodType>>;
  readonly stores: Readonly<Record<string, z.ZodType>>;
}

/** How the operator's file is found and checked. */
export interface ConfigOptions extends ConfigSearch {
  /** Instead of the registered connectors. */
  readonly connectorSchemas?: ConnectorSchemas;
}

type Options = { readonly type: string; readonly [option: string]: unknown };

/** Reads the operator's file. `InvalidRequest` with every problem in the message, and as `facts.problems`. */
export async function loadConfig(path?: string, options: ConfigOptions = {}): Promise<TenureConfig> {
  const file = await findConfig(path, options);
  const { config, problems } = await readConfig(file, options.connectorSchemas ?? registeredSchemas());
  if (config && problems.length === 0) return config;
  throw new TenureError('InvalidRequest', refusal(file, problems), { file, problems });
}

/**
 * The freezes that stand in the file now. Fails retryably when it cannot be read: as long as nobody knows whether a freeze
 * holds, nothing changes.
 */
export async function loadFreezes(file: string): Promise<readonly Freeze[]> {
  const { documents, problems } = await readYamlFile(file);
  const [document] = documents;
  const { freezes } = configFields;
  // A file without a document is one that is being written just now.
  if (!document && problems.length === 0)
    problems.push({ file, line: 1, column: 1, path: '', problem: 'the file is empty', fix: 'Finish it.' });
  if (document && problems.length === 0) {
    const checked = checkFields(document, [], pick(document.value, 'freezes'), { freezes });
    problems.push(...checked.problems);
    if (checked.fields.freezes && problems.length === 0) return checked.fields.freezes;
  }
  throw new TenureError(
    'StoreUnavailable',
    `Whether a freeze holds is not known, so nothing changes. ${refusal(file, problems)}`,
    { file },
  );
}

/** The schemas of every connector that is registered. */
export function registeredSchemas(): ConnectorSchemas {
  return { targets: schemasOf(targetTypes), stores: schemasOf(storeTypes) };
}

function schemasOf(types: Readonly<Record<string, { readonly options: z.ZodType }>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(types).map(([type, { options }]) => [type, options]));
}

async function readConfig(
  file: string,
  schemas: ConnectorSchemas,
): Promise<{ config?: TenureConfig; problems: Problem[] }> {
  const { documents, problems } = await readYamlFile(file);
  const [document, second] = documents;
  if (problems.length > 0) return { problems };
  if (second) return { problems: [problemAt(second, [], 'a second document', 'Keep the whole configuration in one.')] };
  if (!document) return { config: configOf(file, {}), problems: [] };
  const { fields, problems: found } = checkFields(document, [], document.value ?? {}, configFields);
  const secrets = secretProblems(
    document,
    'Keep it in a file of mode 0600 or a variable, and name that here: { file: … } or { env: … }.',
  );
  const others = [
    ...found,
    ...connectorProblems(document, 'targets', fields.targets ?? {}, schemas.targets),
    ...connectorProblems(document, 'stores', fields.stores ?? {}, schemas.stores),
  ];
  const all = withSecretProblems(others, secrets);
  return {
    ...(all.length === 0 && { config: configOf(file, fields) }),
    problems: all.sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** Checks the options of each target or store against the schema of its connector. */
function connectorProblems(
  document: YamlDocument,
  part: 'targets' | 'stores',
  written: Record<string, unknown>,
  schemas: Record<string, z.ZodType>,
): Problem[] {
  return Object.entries(written).flatMap(([name, options]) => {
    const path = [part, name];
    const named = slug().safeParse(name);
    const problems = named.success
      ? []
      : named.error.issues.flatMap((issue) => issueProblems(document, path, issue, name));
    const type = typeof options === 'object' && options !== null ? (options as Partial<Options>).type : undefined;
    if (typeof type !== 'string') {
      return [
        ...problems,
        problemAt(
          document,
          path,
          `expected a mapping with a type, found ${show(options)}`,
          `Add \`type\`. ${suggest('', Object.keys(schemas))}`,
        ),
      ];
    }
    const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (!schema)
      return [
        ...problems,
        problemAt(
          document,
          [...path, 'type'],
          `there is no type ${show(type)} of ${part}`,
          suggest(type, Object.keys(schemas)),
        ),
      ];
    const result = schema.safeParse(options);
    return result.success
      ? problems
      : [...problems, ...result.error.issues.flatMap((issue) => issueProblems(document, path, issue, options, schema))];
  });
}

function configOf(file: string, written: Partial<Record<string, unknown>>): TenureConfig {
  const fields = Object.fromEntries(
    Object.entries(configFields).map(([name, schema]) => [name, written[name] ?? schema.parse(undefined)]),
  ) as {
    [K in keyof typeof configFields]: z.output<(typeof configFields)[K]>;
  };
  const folder = dirname(file);
  const { signingKey, programs, folders, hosts } = fields.consumers;
  const { webhook } = fields.notices;
  const { name, key } = fields.automation;
  return {
    file,
    stateDirectory: resolve(folder, fields.stateDirectory),
    targets: fields.targets as TenureConfig['targets'],
    stores: fields.stores as TenureConfig['stores'],
    consumers: {
      ...(signingKey && { signingKey: absolute(signingKey, folder) }),
      programs,
      folders: folders.map((one) => resolve(folder, one)),
      hosts,
    },
    policy: {
      ...(fields.policy.path !== undefined && { path: resolve(folder, fields.policy.path) }),
      productionEnvironments: fields.policy.productionEnvironments,
      gateMs: fields.policy.gate,
      unusedAfterMs: fields.policy.unusedAfter,
    },
    automation: key ? { name, key: absolute(key, folder) } : { name },
    evidence: evidenceOf(fields.evidence, folder, resolve(folder, fields.stateDirectory)),
    exceptions: fields.exceptions,
    review: fields.review,
    ...(fields.encryption && { encryption: encryptionOf(fields.encryption, folder) }),
    freezes: fields.freezes,
    notices: webhook === undefined ? {} : { webhook },
    fleet: fields.fleet,
  };
}

function evidenceOf(
  { name, key, log }: z.output<typeof configFields.evidence>,
  folder: string,
  stateDirectory: string,
): TenureConfig['evidence'] {
  const place = log ?? { directory: resolve(stateDirectory, 'evidence') };
  return {
    name,
    ...(key && { key: absolute(key, folder) }),
    log: 'directory' in place ? { directory: resolve(folder, place.directory) } : place,
  };
}

function absolute(source: SecretSource, folder: string): SecretSource {
  return 'file' in source ? { file: resolve(folder, source.file) } : source;
}

function pick(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.hasOwn(value, name) ? { [name]: (value as Record<string, unknown>)[name] } : {};
}

function refusal(file: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return [`${file} has ${count}:`, ...problems.map((problem) => `  ${formatProblem(problem)}`)].join('\n');
}
