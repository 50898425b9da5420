import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answers, FromClient, Question, Tls } from './messages.js';

export interface ClientOptions {
  readonly config: string;
  readonly store: string;
  readonly path: string;
  readonly rate: number;
  readonly tls: Tls;
}

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

/** The client program, seen from the demo. */
export class Client {
  /** Resolves when the session that `hold` opened was ended by the server. */
  readonly holdEnded: Promise<{ readonly at: number; readonly code: string }>;
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  constructor(options: ClientOptions) {
    const main = fileURLToPath(new URL('./client-main.js', import.meta.url));
    // A group of its own: Ctrl-C reaches the demo, which ends the client. It ends by itself when the demo is gone.
    this.#child = fork(main, [JSON.stringify(options)], { detached: true });
    this.ready = this.#event('ready').then(() => undefined);
    this.holdEnded = this.#event('hold ended');
    this.#child.on('message', (message: FromClient) => {
      if (message.event === 'answer') this.#settle(message.id, ({ resolve }) => resolve(message.answer as never));
      if (message.event === 'unable') this.#settle(message.id, ({ reject }) => reject(new Error(message.why)));
    });
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the client ended with ${code ?? signal}`));
    });
  }

  ask<Asked extends Question['ask']>(question: Question & { readonly ask: Asked }): Promise<Answers[Asked]> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ ...question, id });
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) how(waiting);
  }

  #event<Name extends FromClient['event']>(name: Name): Promise<Extract<FromClient, { event: Name }>> {
    const heard = new Promise<Extract<FromClient, { event: Name }>>((resolve, reject) => {
      this.#child.on('message', (message: FromClient) => {
        if (message.event === name) resolve(message as Extract<FromClient, { event: Name }>);
      });
      this.#child.once('exit', (code, signal) => reject(new Error(`the client ended with ${code ?? signal}`)));
    });
    // Whoever waits hears of it; nobody may wait.
    heard.catch(() => undefined);
    return heard;
  }
}
