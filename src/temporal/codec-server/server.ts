/**
 * The codec server: decodes payloads for the Temporal UI. Whoever it answers reads what is encrypted, so it listens on this machine unless
 * it has TLS, answers nobody whom it does not know, lets pages of no other origin than the UI's ask, and logs who asked and never what.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { PayloadCodec } from '@temporalio/common';
import type { Logger } from 'pino';
import type { CodecServerConfig } from '../../config/types.js';
import { TenureError } from '../../domain/errors.js';
import { authenticator } from './authenticate.js';
import { Desk } from './desk.js';

export interface CodecServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it. `InvalidRequest` when what is configured would let too many in. */
export async function startCodecServer(
  config: CodecServerConfig,
  codec: PayloadCodec,
  log: Logger,
): Promise<CodecServer> {
  const { host, port, tls } = config;
  if (!tls && !isLoopback(host))
    throw new TenureError(
      'InvalidRequest',
      `payloads would cross the network in clear from ${host}; give encryption.codecServer.tls a certificate and a key, or listen on 127.0.0.1`,
    );
  const desk = new Desk(config, codec, log, await authenticator(config));
  const answer = (request: IncomingMessage, response: ServerResponse): void => void desk.answer(request, response);
  const limits = { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 32_768 };
  const server = tls ? createTlsServer({ ...limits, ...(await pems(tls)) }, answer) : createServer(limits, answer);
  await listening(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () => closed(server),
  };
}

function isLoopback(host: string): boolean {
  return ['127.0.0.1', '::1', 'localhost'].includes(host);
}

async function pems({
  certificate,
  key,
}: NonNullable<CodecServerConfig['tls']>): Promise<{ cert: string; key: string }> {
  try {
    const pair = { cert: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const { code, path = `${certificate} with ${key}` } = error as NodeJS.ErrnoException;
    throw new TenureError(
      'InvalidRequest',
      `encryption.codecServer.tls: ${path} cannot be used (${code ?? 'not a pair'}); correct the path or its permissions`,
    );
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      reject(
        new TenureError(
          'InvalidRequest',
          `it cannot listen at ${host}:${port} (${code}); give another encryption.codecServer.port, or --port`,
          { next: ['tenure codec-server --port 0'] },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
