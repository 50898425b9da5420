/** What `tenure.yaml` says about a PostgreSQL target, and how that becomes a connection. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import { TenureError } from '../../domain/errors.js';
import { secretSource } from '../../stores/secret-source.js';

const tlsFiles = z.strictObject({
  /** File with the certificate authorities to trust, PEM. */
  ca: z.string().min(1).optional(),
  /** Client certificate and its key, PEM files. */
  cert: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  /** False trusts any certificate: for a try, never for production. */
  rejectUnauthorized: z.boolean().default(true),
  /** Name to check the certificate for, where it is not `host`. */
  servername: z.string().min(1).optional(),
});

const port = z.number().int().min(1).max(65_535);

/** The options of a target with `type: postgresql`. */
export const postgresqlOptions = z
  .strictObject({
    type: z.literal('postgresql'),
    /** Host name, address, or the folder of a Unix socket. */
    host: z.string().min(1).optional(),
    port: port.optional(),
    /** The database whose objects scopes name. Roles are of the whole server. */
    database: z.string().min(1).optional(),
    /** The administrator that `examples/postgresql-admin.sql` makes. */
    user: z.string().min(1).optional(),
    /** Instead of the four above: `postgresql://user@host:port/database`, without a password. */
    url: z.string().min(1).optional(),
    password: secretSource,
    /** Off loopback: true (verified) unless written. `false` is plaintext, and has to be written. */
    tls: z.union([z.boolean(), tlsFiles]).optional(),
    connectTimeoutMs: z.number().int().min(100).max(120_000).default(5_000),
    /** Longest time for one statement, and for waiting on a lock. */
    statementTimeoutMs: z.number().int().min(100).max(600_000).default(10_000),
    /** Longest time to wait until the sessions of a retired login have ended. */
    endSessionsTimeoutMs: z.number().int().min(100).max(120_000).default(10_000),
    /** Whether identities may read on standbys, whose statements this server does not see: use is not known then. */
    readsOnStandbys: z.boolean().default(true),
    /** Cost of the SCRAM verifier. Our passwords have 256 random bits, so more only makes logins slower. */
    scramIterations: z.number().int().min(4_096).max(1_000_000).default(4_096),
  })
  .superRefine((options, context) => {
    for (const { path, message } of addressProblems(options)) context.addIssue({ code: 'custom', path, message });
  });

export type PostgresqlOptions = z.output<typeof postgresqlOptions>;

/** Where the target is and as whom to log in there, out of either form of the options. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

interface AddressProblem {
  readonly path: string[];
  readonly message: string;
}

type Written = { readonly [part in keyof Address | 'url']?: Address[keyof Address] | undefined };

function addressProblems(options: Written): AddressProblem[] {
  const parts = ['host', 'port', 'database', 'user'] as const;
  if (options.url === undefined) {
    return parts
      .filter((part) => part !== 'port' && options[part] === undefined)
      .map((part) => ({ path: [part], message: 'is required where no url is given' }));
  }
  const doubled = parts.filter((part) => options[part] !== undefined);
  const problem = urlProblem(String(options.url));
  return [
    ...doubled.map((part) => ({ path: [part], message: 'is in the url already; write only one of the two' })),
    ...(problem === undefined ? [] : [{ path: ['url'], message: problem }]),
  ];
}

/** Never quotes the url: it may hold the password that must not be there. */
function urlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) return 'is not of the form postgresql://user@host:port/database';
  if (url.password !== '') return 'holds a password; give it as password: { file: … } or { env: … } and change it';
  if (url.search !== '') return 'has parameters; write them as options (tls, connectTimeoutMs, …)';
  if (!url.username || !url.hostname || url.pathname.length < 2) return 'names no user, host or database';
  return undefined;
}

/** The address out of checked options. */
export function addressOf(options: PostgresqlOptions): Address {
  if (options.url === undefined) {
    return { host: options.host!, port: options.port ?? 5432, database: options.database!, user: options.user! };
  }
  const url = new URL(options.url);
  return {
    host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
  };
}

/** Says whether traffic to `host` stays on this machine. */
export function isLoopback(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** TLS settings as `pg` takes them; paths are relative to `folder`. Verified by default off loopback. */
export function tlsOf(options: PostgresqlOptions, host: string, folder: string): ConnectionOptions | false {
  const tls = options.tls ?? !isLoopback(host);
  if (tls === false) return false;
  if (tls === true) return { rejectUnauthorized: true };
  const { rejectUnauthorized, servername } = tls;
  return {
    rejectUnauthorized,
    ...(servername === undefined ? {} : { servername }),
    ...Object.fromEntries(
      (['ca', 'cert', 'key'] as const).flatMap((name) => {
        const path = tls[name];
        return path === undefined ? [] : [[name, readPem(resolve(folder, path), name)]];
      }),
    ),
  };
}

function readPem(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new TenureError('InvalidRequest', `tls.${name}: ${path} cannot be read (${why}); correct it in tenure.yaml`);
  }
}
