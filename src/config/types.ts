/** The operator's file, `tenure.yaml`, with every default filled in. Paths are absolute. */
import type { ConsumerLimits } from '../consumers/limits.js';
import type { Freeze } from '../domain/identity.js';
import type { ReviewSettings } from '../review/options.js';
import type { ExceptionSettings } from '../exceptions/options.js';
import type { S3Options } from '../evidence/options.js';

/** A secret by place: never inline. */
export type SecretSource = { readonly file: string } | { readonly env: string };

export interface TenureConfig {
  /** Absolute path of the file that this was read from; relative paths in it are relative to its folder. */
  readonly file: string;
  /** Folder for state: evidence, the local store, the development server's database. */
  readonly stateDirectory: string;
  /** Options as written; each connector's own schema has checked them. `type` names the connector. */
  readonly targets: Readonly<Record<string, { readonly type: string; readonly [option: string]: unknown }>>;
  readonly stores: Readonly<Record<string, { readonly type: string; readonly [option: string]: unknown }>>;
  /** `programs` and `folders` are absolute. */
  readonly consumers: ConsumerLimits & {
    /** Key that webhooks are signed with, as Standard Webhooks says (`whsec_…`). */
    readonly signingKey?: SecretSource;
  };
  readonly policy: {
    /** Folder of the operator's own policies, instead of those that come with Tenure. */
    readonly path?: string;
    /** Environments that policies take for production. */
    readonly productionEnvironments: readonly string[];
    /** How long a gate stays open. */
    readonly gateMs: number;
    /** For how long a right has to be watched without being seen in use. */
    readonly unusedAfterMs: number;
  };
  /** As whom the worker asks. */
  readonly automation: { readonly name: string; readonly key?: SecretSource };
  readonly evidence: {
    /** Of the log, in its checkpoints. */
    readonly name: string;
    /** Without one, `<stateDirectory>/keys/evidence.pem`. */
    readonly key?: SecretSource;
    readonly log: { readonly directory: string } | { readonly s3: S3Options };
  };
  readonly exceptions: ExceptionSettings;
  readonly review: ReviewSettings;
  /** Without it, payloads are written and read as they are. */
  readonly encryption?: {
    readonly keys: readonly { readonly id: string; readonly key: SecretSource }[];
    /** Id of the key that encrypts; without one nothing is encrypted any more. */
    readonly current?: string;
    readonly codecServer?: CodecServerConfig;
  };
  readonly freezes: readonly Freeze[];
  readonly notices: { readonly webhook?: string };
  readonly fleet: { readonly perTarget: number };
}

/** What decodes payloads for the Temporal UI. */
export interface CodecServerConfig {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Of the UIs that may ask. */
  readonly origins: readonly string[];
  readonly token?: SecretSource;
  readonly jwt?: {
    readonly issuer: string;
    readonly audience: string;
    readonly jwks?: string;
    /** Claims, each with the values of which it must have one. */
    readonly require: Readonly<Record<string, readonly string[]>>;
  };
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}
