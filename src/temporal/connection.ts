/** Connections as Temporal's own tools configure them: `TEMPORAL_*` variables and the profiles of `temporal.toml`. */
import { Client, Connection, isGrpcServiceError, type ClientOptions } from '@temporalio/client';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';
import { TenureError } from '../domain/errors.js';
import { askingAgain } from './ask-again.js';

/** How long a server may take to answer at all, in milliseconds. */
const answerMs = 5_000;

/** The server that Temporal's tools use when nothing is configured. */
const defaultAddress = 'localhost:7233';
const defaultNamespace = 'default';

/** Where to connect. What is left out is configured outside, by variables or a profile. */
export interface ConnectOptions {
  readonly address?: string;
  readonly namespace?: string;
  /** Profile of `temporal.toml`; `TEMPORAL_PROFILE` or `default` when left out. */
  readonly profile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Neither variables nor profiles count: `address` was found by other means, and must not be shown their keys. */
  readonly alone?: boolean;
}

/** A client and what it is connected to. */
export interface ConnectedClient {
  readonly client: Client;
  readonly connection: Connection;
  readonly address: string;
  readonly namespace: string;
}

/** A worker's connection and what it is connected to. */
export interface ConnectedWorker {
  readonly connection: NativeConnection;
  readonly address: string;
  readonly namespace: string;
}

/**
 * Connects a client. Close `connection` when done.
 *
 * @throws TenureError `TargetUnavailable` when nothing answers within five seconds, `InvalidRequest` when the
 *   configuration can't be used or the server refuses this identity.
 */
export async function connectClient(
  options: ConnectOptions = {},
  clientOptions: Omit<ClientOptions, 'connection' | 'namespace' | 'interceptors'> = {},
): Promise<ConnectedClient> {
  const { address, namespace, connectionOptions } = whereTo(options);
  const connection = await reaching(address, () =>
    Connection.connect({ ...connectionOptions, connectTimeout: answerMs }),
  );
  const client = new Client({ ...clientOptions, interceptors: { workflow: [askingAgain] }, connection, namespace });
  return { client, connection, address, namespace };
}

/**
 * Connects a worker. Close `connection` after the worker has stopped.
 *
 * @throws TenureError as {@link connectClient} does.
 */
export async function connectWorker(options: ConnectOptions = {}): Promise<ConnectedWorker> {
  const { address, namespace, connectionOptions } = whereTo(options);
  // The worker's connection retries for long before it says why: ask with the client's first.
  const probe = await connectClient(options);
  await probe.connection.close();
  // Loaded here, since its native part takes a third of a second, which no client should pay.
  const { NativeConnection: Native } = await import('@temporalio/worker');
  const connection = await reaching(address, () => Native.connect(connectionOptions));
  return { connection, address, namespace };
}

/** The address and namespace that a connection would use, without connecting. */
export function whereTo(options: ConnectOptions = {}): {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
} {
  const { connectionOptions, namespace } = configured(options);
  const address = options.address ?? connectionOptions.address ?? defaultAddress;
  return {
    address,
    namespace: options.namespace ?? namespace ?? defaultNamespace,
    connectionOptions: { ...connectionOptions, address },
  };
}

function configured({ profile, env, alone }: ConnectOptions): ClientConnectConfig {
  if (alone) return { connectionOptions: {} };
  try {
    return loadClientConnectConfig({ ...(profile && { profile }), ...(env && { overrideEnvVars: { ...env } }) });
  } catch (error) {
    throw new TenureError(
      'InvalidRequest',
      `the Temporal connection settings can't be used: ${messageOf(error)}. Look at the TEMPORAL_* variables and temporal.toml`,
    );
  }
}

async function reaching<T>(address: string, connect: () => Promise<T>): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    const refused = isGrpcServiceError(error) && (error.code === 7 || error.code === 16);
    if (refused)
      throw new TenureError(
        'InvalidRequest',
        `Temporal at ${address} refuses this identity: check TEMPORAL_API_KEY, the TLS settings, or the profile in temporal.toml`,
        { address },
      );
    throw new TenureError(
      'TargetUnavailable',
      `Temporal does not answer at ${address}. Start a server with \`tenure dev\`, or say where it is with TEMPORAL_ADDRESS`,
      { address },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
