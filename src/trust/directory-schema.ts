/** The directory as operators write it, under `directory:` in the operator's file. */
import { z } from 'zod';
import type { Directory, Party, PartyKey } from '../domain/directory.js';
import { instant, slug } from '../manifest/schema.js';
import { readJwk } from './jwk.js';
import { readSshKeyLine } from './ssh-key.js';
import { WireError } from './ssh-wire.js';

const nobody = { people: [], automations: [], revoked: [] };

const name = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => /^[^\p{C}\p{Z}]+$/u.test(text) && text.normalize('NFC') === text, {
    error:
      'expected a name without spaces and invisible characters | Write it as in ada@example.com or automation/nightly.',
  });

const sshLine = z.string().min(1).max(4_000);
const jwk = z.record(z.string().max(20), z.unknown());
const period = {
  from: instant.optional().describe('First instant at which it holds.'),
  to: instant.optional().describe('First instant at which it holds no more.'),
};

const key = z
  .union([
    sshLine,
    z.strictObject({ key: sshLine.describe('A public key as in a .pub file.'), ...period }),
    z.strictObject({ jwk: jwk.describe('A public JSON Web Key: Ed25519, P-256 or RSA.'), ...period }),
  ])
  .transform((written, context): PartyKey => {
    try {
      return keyOf(written);
    } catch (error) {
      context.addIssue({ code: 'custom', message: whyRefused(error) });
      return z.NEVER;
    }
  });

const keys = z
  .array(key)
  .max(50)
  .describe('Public keys: a line as in a .pub file, or a mapping with `key` or `jwk`, and from when to when it holds.');
const groups = z.array(slug()).max(100).default([]).describe('Groups that policies and gates name.');

const person = z.strictObject({ name: name.describe('E.g. an address.'), groups, keys: keys.default([]), ...period });

const automation = z.strictObject({
  name,
  kind: z.enum(['service', 'agent', 'automation']).default('automation').describe('None of them can approve.'),
  owner: name.describe('The person of this directory who answers for it, and who cannot approve what it asks for.'),
  groups,
  keys: keys.default([]),
  ...period,
});

/** The part of the operator's file, which becomes a {@link Directory}. */
export const directorySchema = z
  .strictObject({
    people: z.array(person).max(5_000).default([]).describe('Who can ask and approve.'),
    automations: z.array(automation).max(5_000).default([]).describe('What can ask, and can never approve.'),
    revoked: z
      .array(z.string().min(1).max(300))
      .max(5_000)
      .default([])
      .describe('Delegations and advance approvals that hold no more, by id.'),
  })
  .superRefine(({ people, automations }, context) => {
    const at = [
      ...people.map((party, index) => ({ party, path: ['people', index] })),
      ...automations.map((party, index) => ({ party, path: ['automations', index] })),
    ];
    for (const { path, message } of conflictsOf(at)) context.addIssue({ code: 'custom', path: [...path], message });
  })
  .transform(({ people, automations, revoked }): Directory => {
    const parties = [...people.map((one) => ({ ...one, kind: 'person' as const })), ...automations];
    return { parties: parties.map(defined), revoked };
  })
  .prefault(nobody)
  .describe(
    'Who can ask for changes and who can approve them. Read again at every use, so that what is removed here holds no more.',
  );

interface Times {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}
type Written = string | (Times & { readonly key: string }) | (Times & { readonly jwk: Record<string, unknown> });

function keyOf(written: Written): PartyKey {
  if (typeof written === 'string') return sshKey(written);
  const { from, to } = written;
  const times = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  if ('key' in written) return { ...sshKey(written.key), ...times };
  const { id, jwk: members } = readJwk(written.jwk);
  return { id, text: JSON.stringify(members), hardware: false, ...times };
}

function sshKey(line: string): PartyKey {
  const { id, application } = readSshKeyLine(line);
  return { id, text: line.trim(), hardware: application !== undefined };
}

function whyRefused(error: unknown): string {
  const isSsh = error instanceof WireError;
  const what = isSsh ? 'no public key of OpenSSH' : 'no public JWK';
  const fix = isSsh ? 'Paste the whole line of a .pub file.' : 'Write its public members: kty, crv, x, y, n, e.';
  return `${what}: ${(error as Error).message} | ${fix}`;
}

interface PartyAt {
  readonly party: { readonly name: string; readonly owner?: string; readonly keys: readonly PartyKey[] };
  readonly path: readonly (string | number)[];
}

/** What one entry cannot see of the others: names and keys given twice, and owners who are no people. */
function* conflictsOf(
  all: readonly PartyAt[],
): Generator<{ readonly path: readonly (string | number)[]; readonly message: string }> {
  const people = new Set(all.filter(({ party }) => party.owner === undefined).map(({ party }) => party.name));
  const names = new Map<string, string>();
  const holders = new Map<string, string>();
  for (const { party, path } of all) {
    // Two names that a reader takes for one would be two persons in a quorum.
    const folded = party.name.normalize('NFKC').toLowerCase();
    const known = names.get(folded);
    if (known !== undefined)
      yield {
        path: [...path, 'name'],
        message: `this name is the same as '${known}' | Keep one entry for each, with all its keys.`,
      };
    names.set(folded, party.name);
    if (party.owner !== undefined && !people.has(party.owner))
      yield {
        path: [...path, 'owner'],
        message: 'the owner is none of the people of the directory | Add them under `people`, or name another owner.',
      };
    for (const [index, { id }] of party.keys.entries()) {
      const holder = holders.get(id);
      if (holder !== undefined)
        yield {
          path: [...path, 'keys', index],
          message: `this key is already that of '${holder}' | Each key belongs to one, once.`,
        };
      holders.set(id, party.name);
    }
  }
}

/** Without the members that are undefined. */
function defined({ from, to, ...party }: Omit<Party, 'from' | 'to'> & Times): Party {
  return { ...party, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** A directory in the form in which it is written. */
export function writtenDirectory({ parties, revoked }: Directory): Record<string, unknown> {
  const people = parties.filter(({ kind }) => kind === 'person').map(({ kind: _kind, ...party }) => written(party));
  const automations = parties.filter(({ kind }) => kind !== 'person').map(written);
  return { people, automations, revoked };
}

function written<P extends Pick<Party, 'keys'>>({ keys: held, ...party }: P): Record<string, unknown> {
  return { ...party, keys: held.map(writtenKey) };
}

function writtenKey({ id, text, hardware: _hardware, ...times }: PartyKey): unknown {
  if (id.startsWith('jwk:')) return { jwk: JSON.parse(text) as unknown, ...times };
  return Object.keys(times).length === 0 ? text : { key: text, ...times };
}
