/** What verbs share: options read, things opened when first needed and closed at the end. */
import type { Command } from 'commander';
import type { Io } from './io.js';
import { looksSecret } from '../manifest/problem.js';
import { usage } from './errors.js';
import { withHelpOf } from './misuse.js';
import { Output } from './output.js';
import { openServices, type Services } from './services.js';

export interface Session {
  readonly io: Io;
  /** What was typed after `tenure`. */
  readonly typed?: readonly string[];
  readonly out: Output;
  readonly services: Services;
}

/** Does a verb's work and gives the exit code; nothing means success. */
export type Work<Options> = (session: Session, options: Options, args: readonly string[]) => Promise<number | void>;

/** Options that every verb has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly config?: string;
}

/** Where `run` finds the session and the exit code of the verb that ran. */
export interface Runtime {
  readonly io: Io;
  readonly typed?: readonly string[];
  exitCode: number;
  session: Session | undefined;
}

/** Gives a verb its common options and its work. */
export function verb<Options extends CommonOptions>(runtime: Runtime, command: Command, work: Work<Options>): Command {
  command
    .option('--json', 'print one JSON document instead of words')
    .option('--config <file>', 'read this tenure.yaml');
  return command.action(async (...all: unknown[]) => {
    const self = all.at(-1) as Command;
    const options = self.opts<Options>();
    const session: Session = {
      io: runtime.io,
      ...(runtime.typed && { typed: runtime.typed }),
      out: new Output(runtime.io, options.json === true),
      services: openServices(runtime.io, options.config),
    };
    runtime.session = session;
    try {
      refuseSecrets(self.opts());
      runtime.exitCode = (await work(session, options, self.args)) ?? 0;
    } catch (error) {
      throw withHelpOf(self, error);
    }
  });
}

/** What people say beside a request. It is kept in histories, in evidence and in notices, where nothing secret may ever be. */
const freeTexts = ['reason', 'note', 'notes', 'incident', 'ticket', 'as', 'requestId'];

function refuseSecrets(options: Readonly<Record<string, unknown>>): void {
  const found = freeTexts.find((name) => typeof options[name] === 'string' && looksSecret(options[name]));
  if (found === undefined) return;
  const option = `--${found.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw usage(
    `${option}: this looks like a secret, and it would be kept for good. Nothing was sent. Say it without the secret, and rotate that secret where it is real`,
  );
}
