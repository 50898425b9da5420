import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Leave everything running at the end, until Ctrl-C. */
  readonly keep: boolean;
  /** Superuser's URL of a server to use instead of an own one. */
  readonly postgres?: string;
  /** Requests per second of the client. */
  readonly rate: number;
}

export const help = `The life of one database credential, on real servers, under load, with everything measured.

  npm run demo                     all of it, then everything is stopped
  npm run demo -- --keep           leave it running to look around, until Ctrl-C
  npm run demo -- --rate 100       requests per second of the client (default: 60)
  npm run demo -- --postgres URL   on this server, as its superuser; better as TENURE_DEMO_POSTGRES, which \`ps\` does not show

Exits 0 only if every claim was checked and held.
`;

/** Reads the command line; undefined when help was asked for. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: 'boolean', default: false },
      postgres: { type: 'string' },
      rate: { type: 'string', default: '60' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const rate = Number(values.rate);
  if (!Number.isInteger(rate) || rate < 1 || rate > 1_000)
    throw new Error(`--rate ${values.rate}: expected 1 to 1000 requests per second`);
  const postgres = values.postgres ?? env['TENURE_DEMO_POSTGRES'];
  return { keep: values.keep, rate, ...(postgres && { postgres }) };
}
