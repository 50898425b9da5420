/** What verbs work with, opened when first asked for: a command that reads one file should not wait for a server. */
import { dirname, join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadEncryption } from '../config/encryption.js';
import { findConfig } from '../config/find.js';
import type { TenureConfig } from '../config/types.js';
import { TenureError } from '../domain/errors.js';
import type { Store } from '../stores/store.js';
import type { Targets } from '../targets/registry.js';
import type { ConnectedClient, ConnectOptions } from '../temporal/connection.js';
import { readDevNote } from './dev-file.js';
import { CliError } from './errors.js';
import type { Io } from './io.js';

export interface Services {
  /** Absolute path of the operator's file: the one that was found, or where one would be made. */
  configFile(): Promise<string>;
  /** The same, for what cannot do without one. `InvalidRequest` when none was found. */
  demandConfigFile(): Promise<string>;
  /** As Temporal's own tools connect; with nothing configured, to the `tenure dev` of this folder. */
  connectOptions(): Promise<ConnectOptions>;
  config(): Promise<TenureConfig>;
  client(): Promise<Client>;
  namespace(): Promise<string>;
  /** `host:port` of the Temporal server. */
  address(): Promise<string>;
  /** Link to a workflow in the Temporal UI, where the UI's address is known. */
  uiLink(workflowId: string): Promise<string | undefined>;
  store(name: string): Promise<Store>;
  targets(): Promise<Targets>;
  close(): Promise<void>;
}

/** Opens nothing yet. */
export function openServices(io: Io, configFile: string | undefined): Services {
  const found = once(() => findConfig(configFile, { cwd: io.cwd, env: io.env }));
  const file = once(() => found().catch(() => join(io.cwd, 'tenure.yaml')));
  const folder = async (): Promise<string> => dirname(await file());
  const closers: (() => Promise<unknown>)[] = [];
  const config = once(async () =>
    (await import('../config/load.js')).loadConfig(configFile, { cwd: io.cwd, env: io.env }),
  );
  const connectOptions = once(async () => optionsFor(io, await folder()));
  const connected = once(async () => {
    const open = await connect(await connectOptions(), await dataConverterOf(await file()));
    closers.push(() => open.connection.close());
    return open;
  });
  const stores = once(async () => (await import('../stores/registry.js')).openStores(await config()));
  const targets = once(async () => {
    const open = (await import('../targets/registry.js')).openTargets(await config());
    closers.push(() => open.close());
    return open;
  });
  return {
    configFile: file,
    demandConfigFile: found,
    connectOptions,
    config,
    client: async () => (await connected()).client,
    namespace: async () => (await connected()).namespace,
    address: async () => (await connected()).address,
    uiLink: async (workflowId) =>
      linkTo(await uiAddress(io, await folder()), (await connected()).namespace, workflowId),
    store: async (name) => (await stores()).get(name),
    targets,
    close: async () => void (await Promise.allSettled(closers.map((close) => close()))),
  };
}

/** Where `tenure dev` keeps its state when the operator's file does not say otherwise. */
export function stateFolder(folder: string): string {
  return join(folder, '.tenure');
}

async function optionsFor(io: Io, folder: string): Promise<ConnectOptions> {
  const isConfigured = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some((name) => io.env[name]);
  const note = isConfigured ? undefined : await readDevNote(stateFolder(folder));
  if (!note) return { env: definedOnly(io.env) };
  // Alone, so that the key of a default profile never goes to a server that it is not for.
  return { address: note.address, namespace: note.namespace, alone: true };
}

/** Who asks has to encrypt, and who looks has to decrypt: without keys, the codec at least says which one is wanted. */
async function dataConverterOf(file: string): Promise<DataConverter> {
  const encryption = await loadEncryption(file);
  if (encryption.encryption) return (await import('../temporal/codec/converter.js')).dataConverterFor(encryption);
  const { payloadCodec } = await import('../temporal/codec/aes-gcm.js');
  return { payloadCodecs: [payloadCodec({ keys: new Map() })] };
}

async function connect(options: ConnectOptions, dataConverter: DataConverter): Promise<ConnectedClient> {
  const { connectClient } = await import('../temporal/connection.js');
  try {
    return await connectClient(options, { dataConverter });
  } catch (error) {
    if (!(error instanceof TenureError) || error.code !== 'TargetUnavailable') throw error;
    throw new CliError('NoTemporal', error.message, ['tenure dev', 'tenure doctor']);
  }
}

async function uiAddress(io: Io, folder: string): Promise<string | undefined> {
  return io.env['TENURE_UI'] ?? (await readDevNote(stateFolder(folder)))?.uiUrl;
}

function linkTo(ui: string | undefined, namespace: string, workflowId: string): string | undefined {
  if (ui === undefined) return undefined;
  return `${ui.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
