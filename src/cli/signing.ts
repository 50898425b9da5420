/** Who signs at this command line: everything that is asked carries a signature, and nothing without one is done. */
import type { Command } from 'commander';
import { isAbsolute, join } from 'node:path';
import type { Signer } from '../trust/statements.js';
import { personOf } from './person.js';
import type { Session } from './session.js';

/** Options of a verb that signs. */
export interface SigningOptions {
  readonly as?: string;
  readonly key?: string;
}

/** Adds the options of a verb that signs. */
export function signing(command: Command, what = 'who asks'): Command {
  return command
    .option('--as <person>', `${what} (default: git's user.email, or the system's user)`)
    .option('--key <file>', 'sign with this key (default: one of yours that the directory has)');
}

/**
 * Whoever signs here: who `--as` says, with a key that the directory knows as theirs. What a security key needs, `ssh-keygen` asks for at
 * the terminal.
 */
export async function signerOf({ io, out, services }: Session, options: SigningOptions): Promise<Signer> {
  // Loaded here, since most verbs sign nothing.
  const [{ loadPlaces }, { directorySource }, { openSigner }] = await Promise.all([
    import('../config/places.js'),
    import('../trust/directory-file.js'),
    import('../trust/sign.js'),
  ]);
  const places = await loadPlaces(await services.demandConfigFile());
  const keyFile = options.key ?? io.env['TENURE_KEY'];
  return openSigner({
    name: personOf(io, options.as),
    directory: await directorySource(places).current(),
    stateDirectory: places.stateDirectory,
    ...(keyFile && { keyFile: isAbsolute(keyFile) ? keyFile : join(io.cwd, keyFile) }),
    env: io.env,
    cwd: io.cwd,
    tell: (line) => out.note(line),
  });
}
