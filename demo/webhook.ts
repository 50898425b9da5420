/** The consumer's side of the hand-over: takes signed messages, as the Standard Webhooks specification says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly at: number;
}

export class Receiver {
  /** Messages whose signature was right. */
  readonly received: Received[] = [];
  /** Messages that were turned away. */
  refused = 0;
  readonly #server: Server;
  readonly #verifier: Webhook;
  #stall: ((message: Received) => void) | undefined;

  private constructor(key: string) {
    this.#verifier = new Webhook(key);
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(key: string): Promise<Receiver> {
    const receiver = new Receiver(key);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next message gets no answer, as from a consumer that is slow. Resolves when it has come. */
  stallNext(): Promise<Received> {
    return new Promise((resolve) => (this.#stall = resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = this.#verified(request, await bodyOf(request));
    if (!message) {
      this.refused += 1;
      response.writeHead(401).end();
      return;
    }
    this.received.push(message);
    const stall = this.#stall;
    this.#stall = undefined;
    if (stall) stall(message);
    else response.writeHead(204).end();
  }

  #verified({ headers }: IncomingMessage, body: string): Received | undefined {
    try {
      const { type } = this.#verifier.verify(body, headers as Record<string, string>) as { type: string };
      return { id: String(headers['webhook-id']), type, at: Date.now() };
    } catch {
      // A wrong signature and a message without one are turned away alike.
      return undefined;
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
