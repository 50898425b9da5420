/** Makes a credential and puts it in place, with the way back of each step. */
import { clipLines } from '../../src/domain/clip.js';
import { TenureError } from '../../src/domain/errors.js';
import type { AcceptanceProof, CredentialRecord } from '../../src/domain/credential.js';
import type { Delivery, IdentitySpec } from '../../src/domain/identity.js';
import type { Change, CredentialActivities } from '../contract.js';
import {
  type CredentialDependencies,
  eachDelivery,
  fenceOf,
  holderOf,
  materialOf,
  mustBeCurrent,
  subjectOf,
} from './change.js';

export function makingCredentials(
  deps: CredentialDependencies,
): Pick<CredentialActivities, 'stage' | 'discard' | 'install' | 'uninstall' | 'verify' | 'publish' | 'withdraw'> {
  return {
    async stage(change) {
      const { spec, from } = change;
      const target = deps.target(spec.target.name);
      const subject = subjectOf(change);
      if (from) await mustBeCurrent(deps, change, from);
      const current = from && from.target === target.name ? holderOf(from) : undefined;
      const principal = target.nextPrincipal(subject, current);
      const [first, ...others] = deliveriesOf(spec);
      const record = await deps
        .store(first.store)
        .stage(first.path, fenceOf(change), () => target.mint(subject, principal));
      const { material } = await deps.store(first.store).read(first.path, { version: change.operation });
      for (const { store, path } of others)
        await deps.store(store).stage(path, fenceOf(change), () => Promise.resolve(material));
      return {
        version: record.version,
        target: target.name,
        principal,
        fingerprint: record.fingerprint,
        deliveries: spec.deliver,
        createdAt: record.createdAt,
      };
    },

    async discard(change) {
      await eachDelivery(deps, change, (store, path) => store.discard(path, fenceOf(change)));
    },

    async install(change) {
      const to = candidateOf(change);
      const { changed } = await deps
        .target(to.target)
        .install(subjectOf(change), holderOf(to), await materialOf(deps, to));
      return { changed: clipLines(changed) };
    },

    async uninstall(change) {
      const { to, from } = change;
      if (!to) return;
      const target = deps.target(to.target);
      const before = from && from.target === to.target ? await whatWasBefore(deps, change, from) : undefined;
      await target.uninstall(subjectOf(change), holderOf(to), before);
    },

    async verify(change) {
      const credential = change.to ?? currentOf(change);
      const proof = await deps.target(credential.target).verify(subjectOf(change), await materialOf(deps, credential));
      refuseDifferences(change.identity, proof);
      return proof;
    },

    async publish(change) {
      await eachDelivery(deps, change, (store, path) => store.publish(path, fenceOf(change)));
    },

    async withdraw(change) {
      await eachDelivery(deps, change, (store, path) => store.withdraw(path, fenceOf(change)));
    },
  };
}

function candidateOf({ to, identity }: Change): CredentialRecord {
  if (!to) throw new TenureError('InvalidRequest', `${identity}: no candidate has been staged`);
  return to;
}

function currentOf({ from, identity }: Change): CredentialRecord {
  if (!from) throw new TenureError('InvalidRequest', `${identity} has no credential; make one with: tenure apply`);
  return from;
}

function deliveriesOf(spec: IdentitySpec): [Delivery, ...Delivery[]] {
  const [first, ...others] = spec.deliver;
  if (!first) throw new TenureError('InvalidRequest', `${spec.name}: deliver names no store; add one in the manifest`);
  return [first, ...others];
}

async function whatWasBefore(deps: CredentialDependencies, change: Change, from: CredentialRecord) {
  const scope = (change.specBefore ?? change.spec).target.scope;
  return { holder: holderOf(from), material: await materialOf(deps, from), scope };
}

function refuseDifferences(identity: string, { excess, missing }: AcceptanceProof): void {
  const problems = [
    ...excess.map((right) => `more than approved: ${right}`),
    ...missing.map((right) => `less than approved: ${right}`),
  ];
  if (problems.length > 0)
    throw new TenureError(
      'VerificationFailed',
      `${identity} logged in, but its rights are not the approved scope: ${clipLines(problems, 10).join('; ')}`,
    );
}
