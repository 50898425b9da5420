/** What verbs work with, opened when first asked for: a command that reads one file should not wait for a server. */
import { dirname, join, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import type { TenureConfig } from '../config/types.js';
import type { Store } from '../stores/store.js';
import type { Target } from '../targets/target.js';
import type { ConnectedClient } from '../temporal/connection.js';
import { readDevNote } from './dev-file.js';
import type { Io } from './io.js';

export interface Services {
  /** Absolute path of the operator's file, whether or not it exists. */
  readonly configFile: string;
  /** What Temporal's connection settings are read from. */
  readonly connectionEnv: Readonly<Record<string, string>>;
  config(): Promise<TenureConfig>;
  client(): Promise<Client>;
  namespace(): Promise<string>;
  /** `host:port` of the Temporal server. */
  address(): Promise<string>;
  /** Link to a workflow in the Temporal UI, where the UI's address is known. */
  uiLink(workflowId: string): Promise<string | undefined>;
  store(name: string): Promise<Store>;
  target(name: string): Promise<Target>;
  close(): Promise<void>;
}

/** Opens nothing yet. */
export function openServices(io: Io, configFile: string | undefined): Services {
  const file = resolve(io.cwd, configFile ?? io.env['TENURE_CONFIG'] ?? 'tenure.yaml');
  const closers: (() => Promise<unknown>)[] = [];
  const connectionEnv = definedOnly(io.env);
  const config = once(async () => (await import('../config/load.js')).loadConfig(file));
  const connected = once(async () => {
    const open = await connect(io, dirname(file));
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
    connectionEnv,
    config,
    client: async () => (await connected()).client,
    namespace: async () => (await connected()).namespace,
    address: async () => (await connected()).address,
    uiLink: async (workflowId) => linkTo(await uiAddress(io, dirname(file)), (await connected()).namespace, workflowId),
    store: async (name) => (await stores()).get(name),
    target: async (name) => (await targets()).get(name),
    close: async () => void (await Promise.allSettled(closers.map((close) => close()))),
  };
}

/** Where `tenure dev` keeps its state when the operator's file does not say otherwise. */
export function stateFolder(folder: string): string {
  return join(folder, '.tenure');
}

/** As Temporal's own tools connect; with nothing configured, to the `tenure dev` of this folder. */
async function connect(io: Io, folder: string): Promise<ConnectedClient> {
  const isConfigured = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some((name) => io.env[name]);
  const note = isConfigured ? undefined : await readDevNote(stateFolder(folder));
  const { connectClient } = await import('../temporal/connection.js');
  return connectClient({ env: definedOnly(io.env), ...(note && { address: note.address, namespace: note.namespace }) });
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
