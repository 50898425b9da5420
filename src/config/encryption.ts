import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { TenureError } from '../domain/errors.js';
import { hasErrorCode } from '../files/durable.js';
import type { encryptionSchema } from '../temporal/codec/options.js';
import type { CodecServerConfig, SecretSource, TenureConfig } from './types.js';

type Written = NonNullable<z.output<typeof encryptionSchema>>;
type JwtConfig = NonNullable<CodecServerConfig['jwt']>;
type Encryption = NonNullable<TenureConfig['encryption']>;

/**
 * Only what stands under `encryption`, whatever else is wrong in the operator's file, and nothing where there is no file: every verb that
 * talks to Temporal needs it. `InvalidRequest` when it cannot be read, since nothing may go out in clear by mistake.
 */
export async function loadEncryption(file: string): Promise<Pick<TenureConfig, 'encryption'>> {
  // Most files have none, and no verb should wait for a parser and schemas then.
  if (!(await textOf(file)).includes('encryption')) return {};
  const [{ readYamlFile }, { checkFields }, { formatProblem }, { encryptionSchema }] = await Promise.all([
    import('../manifest/read.js'),
    import('../manifest/shape.js'),
    import('../manifest/problem.js'),
    import('../temporal/codec/options.js'),
  ]);
  const { documents, problems } = await readYamlFile(file);
  const [document] = documents;
  const shape = { encryption: encryptionSchema };
  const checked = document && checkFields(document, [], ownPart(document.value), shape);
  const found = [...problems, ...(checked?.problems ?? [])];
  if (found.length > 0) throw unusable(file, found.map(formatProblem).join('\n'));
  const written = checked?.fields.encryption;
  return written ? { encryption: encryptionOf(written, dirname(file)) } : {};
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return '';
    throw unusable(file, `${(error as NodeJS.ErrnoException).code ?? 'unknown error'}; check its permissions`);
  }
}

function ownPart(value: unknown): object {
  return typeof value === 'object' && value !== null && 'encryption' in value ? { encryption: value.encryption } : {};
}

function unusable(file: string, why: string): TenureError {
  const message = `whether payloads are encrypted is not known, so nothing was sent: ${file} cannot be read: ${why}`;
  return new TenureError('InvalidRequest', message, { file });
}

/** With absolute paths, and the key that encrypts named. */
export function encryptionOf({ keys, current, encrypt, codecServer }: Written, folder: string): Encryption {
  return {
    keys: keys.map(({ id, key }) => ({ id, key: absolute(key, folder) })),
    ...(encrypt && { current: current ?? keys[0]!.id }),
    ...(codecServer && { codecServer: codecServerOf(codecServer, folder) }),
  };
}

function codecServerOf(written: NonNullable<Written['codecServer']>, folder: string): CodecServerConfig {
  const { host, port, origins, token, jwt, tls } = written;
  return {
    ...{ host, port, origins },
    ...(token && { token: absolute(token, folder) }),
    ...(jwt && { jwt: jwtOf(jwt) }),
    ...(tls && { tls: { certificate: resolve(folder, tls.certificate), key: resolve(folder, tls.key) } }),
  };
}

function jwtOf({
  issuer,
  audience,
  jwks,
  require,
}: NonNullable<NonNullable<Written['codecServer']>['jwt']>): JwtConfig {
  return { issuer, audience, require, ...(jwks !== undefined && { jwks }) };
}

function absolute(source: SecretSource, folder: string): SecretSource {
  return 'file' in source ? { file: resolve(folder, source.file) } : source;
}
