/** Everything that depends on one person: what they own, asked for, may decide, lent, and were lent. */
import type { Client } from '@temporalio/client';
import { isValidAt, partyNamed, type Directory, type Party } from '../domain/directory.js';
import type { ProcessRecord } from '../domain/evidence.js';
import { asDecided } from '../domain/plan.js';
import type { DelegationStatement } from '../domain/statement.js';
import { whoMayDecide } from '../trust/ballots.js';
import { listExceptions } from './exceptions.js';
import { processOf } from './identities.js';
import { listGates, listIdentities, listProcessesRunning, type ListedIdentity } from './visible.js';

export interface Holdings {
  readonly person: string;
  /** As the directory has them: absent, or with how it stands. */
  readonly inDirectory?: {
    readonly holds: boolean;
    readonly groups: readonly string[];
    readonly keys: readonly string[];
  };
  readonly identities: readonly ListedIdentity[];
  readonly automations: readonly string[];
  readonly gates: readonly {
    readonly operation: string;
    readonly asked: boolean;
    readonly mayDecide: boolean;
    readonly others: number;
  }[];
  readonly elevations: readonly string[];
  readonly exceptions: readonly { readonly id: string; readonly as: readonly string[] }[];
  readonly delegations: readonly {
    readonly id: string;
    readonly from: string;
    readonly to: string;
    readonly exp: string;
  }[];
  /** What did not answer, so that it is not in here. */
  readonly unknown: readonly string[];
}

export async function holdingsOf(
  client: Client,
  person: string,
  directory: Directory,
  records: readonly ProcessRecord[],
  now: Date,
): Promise<Holdings> {
  const party = partyNamed(directory, person);
  const [identities, gates, running, { exceptions, silent }] = await Promise.all([
    listIdentities(client, { owner: person }),
    gatesOf(client, person, directory, now),
    listProcessesRunning(client, 'elevate'),
    listExceptions(client),
  ]);
  const elevations = await askedBy(
    client,
    person,
    running.map(({ operation }) => operation),
  );
  return {
    person,
    ...(party && { inDirectory: standing(party, now) }),
    identities: identities.filter(({ status }) => status !== 'offboarded'),
    automations: directory.parties.filter(({ owner }) => owner === person).map(({ name }) => name),
    gates: gates.found,
    elevations: elevations.found,
    exceptions: exceptions.flatMap(({ id, terms, proposal, examined, gate }) => {
      const owner = examined?.owner ?? proposal?.owner;
      const approved = gate?.votes.some(({ approver, decision }) => approver === person && decision === 'approve');
      const as = [
        ...(terms?.by === person ? ['asked'] : []),
        ...(owner === person ? ['owns'] : []),
        ...(approved ? ['approved'] : []),
      ];
      return as.length > 0 ? [{ id, as }] : [];
    }),
    delegations: delegationsOf(records, person, now),
    unknown: [...gates.unknown, ...elevations.unknown, ...(silent > 0 ? [`${silent} exception(s)`] : [])],
  };
}

function standing(party: Party, now: Date): NonNullable<Holdings['inDirectory']> {
  const keys = party.keys.filter((key) => isValidAt(key, now)).map(({ id }) => id);
  return { holds: isValidAt(party, now), groups: party.groups, keys };
}

async function gatesOf(
  client: Client,
  person: string,
  directory: Directory,
  now: Date,
): Promise<{ readonly found: Holdings['gates']; readonly unknown: readonly string[] }> {
  const open = await listGates(client);
  const states = await Promise.all(
    open.map(async ({ operation }) => ({ operation, state: await processOf(client, operation) })),
  );
  const found = states.flatMap(({ operation, state }) => {
    if (!state?.plan || state.gate?.outcome !== 'open') return [];
    const may = whoMayDecide(directory, state.gate, asDecided(state.plan, state.decision), now);
    const [asked, mayDecide] = [state.gate.requester === person, may.includes(person)];
    return asked || mayDecide
      ? [{ operation, asked, mayDecide, others: may.filter((name) => name !== person).length }]
      : [];
  });
  return { found, unknown: states.filter(({ state }) => !state).map(({ operation }) => operation) };
}

async function askedBy(
  client: Client,
  person: string,
  operations: readonly string[],
): Promise<{ readonly found: readonly string[]; readonly unknown: readonly string[] }> {
  const states = await Promise.all(
    operations.map(async (operation) => ({ operation, state: await processOf(client, operation) })),
  );
  return {
    found: states.filter(({ state }) => state?.requester === person).map(({ operation }) => operation),
    unknown: states.filter(({ state }) => !state).map(({ operation }) => operation),
  };
}

/** Delegations are files that people hold; those that were ever used are in the records. */
function delegationsOf(records: readonly ProcessRecord[], person: string, now: Date): Holdings['delegations'] {
  const all = records
    .flatMap(({ gate, rounds = [] }) => [...rounds, ...(gate ? [gate] : [])])
    .flatMap(({ votes }) => votes)
    .flatMap(({ ballot }) =>
      ballot.delegation ? [JSON.parse(ballot.delegation.statement) as DelegationStatement] : [],
    )
    .filter(({ from, to, exp }) => (from === person || to === person) && Date.parse(exp) > now.getTime());
  return [...new Map(all.map(({ id, from, to, exp }) => [id, { id, from, to, exp }])).values()];
}
