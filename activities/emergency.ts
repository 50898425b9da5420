/** Policy on an emergency, asked before anything is stopped for it: what is stopped half-way and then not revoked would be left in pieces. */
import type { Attested, Directory } from '../src/domain/directory.js';
import { TenureError } from '../src/domain/errors.js';
import type { ChangeRequest } from '../src/domain/request.js';
import { imagine } from '../src/policy/foresee.js';
import type { Policy } from '../src/policy/policy.js';
import type { Declarations } from '../src/trust/declared.js';

/** What deciding on it needs from outside. */
export interface EmergencyDependencies {
  loadPolicy(): Promise<Policy>;
  loadDirectory(): Promise<Directory>;
  readonly declarations: Pick<Declarations, 'of'>;
  readonly now?: () => Date;
}

/** Throws `PolicyDenied` where this requester may not revoke this identity in an emergency. */
export type DemandEmergency = (asked: ChangeRequest, identity: string, requester: Attested) => Promise<void>;

export function emergencyPolicy(dependencies: EmergencyDependencies): DemandEmergency {
  const { loadPolicy, loadDirectory, declarations, now = () => new Date() } = dependencies;
  return async ({ emergency, reason, ticket }, identity, requester) => {
    const noted = (await declarations.of(identity)).filter(({ how }) => how !== 'asked');
    const newest = noted.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)).at(-1);
    // Of what nothing is known nothing runs that could be stopped.
    if (!newest || !emergency) return;
    const [policy, directory] = await Promise.all([loadPolicy(), loadDirectory()]);
    const who = { policy, directory, requester: requester.name, gateMs: 0, now: now() };
    const what = { kind: 'revoke', emergency, spec: newest.spec } as const;
    const said = { ...(reason !== undefined && { reason }), ...(ticket !== undefined && { ticket }) };
    const { effect, message } = policy.decide({ ...imagine(who, { ...what, ...said }), requester });
    if (effect !== 'deny') return;
    throw new TenureError('PolicyDenied', `nothing was stopped: ${message ?? 'policy refuses this emergency'}`);
  };
}
