/** What the codec server says to whom. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PayloadCodec } from '@temporalio/common';
import type { Logger } from 'pino';
import type { CodecServerConfig } from '../../config/types.js';
import { TenureError } from '../../domain/errors.js';
import { always, corsOf, page, refuse, shown } from './answers.js';
import type { Authenticate } from './authenticate.js';
import { bodyOf, TooLarge } from './body.js';
import { decodeEach, formatPayloads, parsePayloads } from './payloads.js';
import { Sessions, signInPage } from './sign-in.js';

/** Answers one request after the other. */
export class Desk {
  private readonly sessions = new Sessions();

  constructor(
    private readonly config: CodecServerConfig,
    private readonly codec: PayloadCodec,
    private readonly log: Logger,
    private readonly authenticate: Authenticate,
  ) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(always)) response.setHeader(name, value);
    try {
      await this.route(request, response);
    } catch (error) {
      if (error instanceof TooLarge) return refuse(response, 413, 'the body is too large', { connection: 'close' });
      // Of what is not ours only the name: a message could quote what was sent.
      const why = error instanceof TenureError ? error.message : (error as Error).name;
      this.log.error({ error: why }, 'a request failed');
      refuse(response, 500, 'it failed; the log of the codec server says why');
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://here');
    const { method = 'GET' } = request;
    if (pathname === '/decode' || pathname === '/encode') return this.payloads(pathname, method, request, response);
    if (!this.config.token) return refuse(response, 404, 'there is nothing here');
    if (pathname === '/' && method === 'GET')
      return page(response, 200, signInPage(this.sessions.of(request, Date.now())));
    if (pathname === '/session' && method === 'POST') return this.signIn(request, response);
    refuse(response, 404, 'there is nothing here');
  }

  private async payloads(
    pathname: '/decode' | '/encode',
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { origin } = request.headers;
    if (origin !== undefined && !this.config.origins.includes(origin)) {
      this.log.warn({ origin: shown(origin), path: pathname }, 'refused: the origin is not under origins');
      return refuse(response, 403, 'pages of this origin may not ask');
    }
    if (origin !== undefined)
      for (const [name, value] of Object.entries(corsOf(origin))) response.setHeader(name, value);
    if (method === 'OPTIONS') return void response.writeHead(204).end();
    if (method !== 'POST') return refuse(response, 405, 'only POST', { allow: 'POST, OPTIONS' });
    const who = await this.whoAsks(request);
    if (who === undefined) {
      this.log.warn({ path: pathname, from: request.socket.remoteAddress }, 'refused: nobody whom it knows');
      return refuse(response, 401, 'bring a bearer token, or sign in', {
        'www-authenticate': 'Bearer realm="tenure-codec"',
      });
    }
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
      return refuse(response, 415, 'send application/json');
    const payloads = parsePayloads(await bodyOf(request));
    if (!payloads) return refuse(response, 400, 'the body is not { "payloads": [...] } with bytes in base64');
    const { decoded, closed: unopened } =
      pathname === '/decode'
        ? await decodeEach(this.codec, payloads)
        : { decoded: await this.codec.encode(payloads), closed: 0 };
    const namespace = shown(request.headers['x-namespace']);
    this.log.info({ who, path: pathname, namespace, payloads: payloads.length, unopened }, 'answered');
    response.writeHead(200, { 'content-type': 'application/json' }).end(formatPayloads(decoded));
  }

  /** A cookie counts only for a page that may ask: a browser sends it along whoever made it ask. */
  private async whoAsks(request: IncomingMessage): Promise<string | undefined> {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return this.authenticate(bearer);
    return request.headers.origin === undefined ? undefined : this.sessions.of(request, Date.now());
  }

  private async signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = new URLSearchParams(await bodyOf(request)).get('token') ?? '';
    const who = await this.authenticate(token.trim());
    if (who === undefined) {
      this.log.warn({ from: request.socket.remoteAddress }, 'refused: a wrong token at the sign-in');
      return page(response, 401, signInPage(undefined, 'That is not the token.'));
    }
    this.log.info({ who }, 'signed in');
    const cookie = this.sessions.begin(who, Date.now(), this.config.tls !== undefined);
    response.writeHead(303, { location: '/', 'set-cookie': cookie }).end();
  }
}
