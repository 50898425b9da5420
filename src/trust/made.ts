/** Whether the credentials that a process names are those that this worker let be made. They too come with a workflow, which may be anybody's. */
import type { CredentialRecord } from '../domain/credential.js';
import { makesCredential, type ProcessInput } from '../domain/process.js';
import { parseProcessId } from '../domain/wire.js';
import { digestOf } from '../policy/digest.js';
import type { Permit, Permits } from './permits.js';
import { noneIfRefused, refused } from './refusal.js';
import type { OnRecord } from './specs.js';

/**
 * What goes is what was carried out last, or was permitted since and came as far as making a credential; where that is not known here it is
 * as the workflow says. An end takes every credential of the identity with it, whichever are named, and an emergency waits for no record.
 * Throws `ApprovalRefused`.
 */
export async function demandMade(
  { identity, kind, operation, request, current, previous = [] }: ProcessInput,
  onRecord: OnRecord,
  permits: Pick<Permits, 'heldBy'>,
): Promise<void> {
  const { last } = onRecord;
  if (request.emergency || !last) return;
  const no = (what: string): never => {
    throw refused('other-content', `${operation}: ${what}; nothing was touched. Ask again with: tenure`);
  };
  const strange = [...(current ? [current] : []), ...previous].find(({ version }) => ownerOf(version) !== identity);
  if (strange) no(`the credential ${strange.version} is not one of ${identity}`);
  if (kind === 'revoke' || kind === 'offboard') return;
  if (!current) return kind === 'rotate' || kind === 'elevate' ? no('the credential that goes is left out') : undefined;
  const permit = current.version === last.operation ? last : await permits.heldBy(current.version).catch(noneIfRefused);
  if (!permit || !mayBeCurrent(permit, identity, last))
    no(`the credential ${current.version} is not the one that ${identity} has by what is on record here`);
  if (!isWhere(current, permit!, onRecord)) no(`the credential ${current.version} is not where it was delivered to`);
}

function ownerOf(version: string): string | undefined {
  return parseProcessId(version)?.name;
}

function mayBeCurrent(permit: Permit, identity: string, last: Permit): boolean {
  return permit.identity === identity && makesCredential(permit.kind) && numberOf(permit) >= numberOf(last);
}

/** In the order of the numbers, which no clock of a worker has a part in. Permits are for processes. */
function numberOf({ operation }: Permit): number {
  return parseProcessId(operation)!.number;
}

function isWhere({ target, deliveries }: CredentialRecord, { specs }: Permit, { noted }: OnRecord): boolean {
  const made = noted.find(({ spec }) => digestOf(spec) === specs[0])?.spec;
  return !made || (made.target.name === target && digestOf(made.deliver) === digestOf(deliveries));
}
