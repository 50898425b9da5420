import type { Command } from 'commander';
import { pino } from 'pino';
import { onInterrupt } from '../io.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';
import { CliError } from '../errors.js';
import { portOption } from '../numbers.js';

interface CodecServerOptions extends CommonOptions {
  readonly port?: number;
}

export function addCodecServer(program: Command, runtime: Runtime): void {
  const command = program
    .command('codec-server')
    .description('decode payloads for the Temporal UI: runs until Ctrl-C or SIGTERM')
    .option('--port <port>', 'instead of the one in tenure.yaml; 0 for a free one', portOption)
    .addHelpText(
      'after',
      '\nWhoever it answers can read what is encrypted. Who that is, and from which UI, stands under encryption.codecServer in tenure.yaml.\n\nExamples:\n  tenure codec-server\n  tenure codec-server --config /etc/tenure/tenure.yaml --port 8889',
    );
  verb<CodecServerOptions>(runtime, command, async ({ io, out, services }, options) => {
    const { encryption, file } = await services.config();
    if (!encryption?.codecServer)
      throw new CliError(
        'InvalidRequest',
        `${file} has no encryption.codecServer: it says who may ask, and from which UI; docs/encryption.md has an example`,
        ['tenure codec-server --help'],
      );
    const [{ startCodecServer }, { payloadCodec }, { keyRingOf }] = await Promise.all([
      import('../../temporal/codec-server/server.js'),
      import('../../temporal/codec/aes-gcm.js'),
      import('../../temporal/codec/converter.js'),
    ]);
    const log = pino({ name: 'tenure-codec', level: io.env['TENURE_LOG'] ?? 'info' }, io.stderr);
    const { codecServer } = encryption;
    const config = { ...codecServer, ...(options.port !== undefined && { port: options.port }) };
    const server = await startCodecServer(config, payloadCodec(await keyRingOf(encryption)), log);
    const origins = codecServer.origins;
    out.say(
      `decoding at ${server.url} for ${origins.length > 0 ? origins.join(', ') : 'no UI: encryption.codecServer.origins is empty'}; Ctrl-C stops it`,
    );
    if (codecServer.token) out.say(`sign in with a browser at ${server.url}/`);
    out.answer({ url: server.url, origins, pid: process.pid });
    await new Promise<void>((resolve) => onInterrupt(io.interrupted, resolve));
    await server.close();
  });
}
