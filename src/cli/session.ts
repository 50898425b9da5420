/** What verbs share: options read, things opened when first needed and closed at the end. */
import type { Command } from 'commander';
import type { Io } from './io.js';
import { Output } from './output.js';
import { openServices, type Services } from './services.js';

export interface Session {
  readonly io: Io;
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
      out: new Output(runtime.io, options.json === true),
      services: openServices(runtime.io, options.config),
    };
    runtime.session = session;
    runtime.exitCode = (await work(session, options, self.args)) ?? 0;
  });
}
