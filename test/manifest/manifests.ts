import { readManifests } from '../../src/manifest/load.js';
import type { ManifestContext } from '../../src/manifest/load.js';
import { formatProblem } from '../../src/manifest/problem.js';

/** An operator's file with one target and one store, and a target that knows the scopes `select` and `insert`. */
export const context: ManifestContext = {
  config: {
    targets: { 'ledger-db': { type: 'postgresql' }, cache: { type: 'redis' } },
    stores: { local: { type: 'local' } },
  },
  checkScope: (_target, _identity, scope) => {
    const grants = Array.isArray(scope['grants']) ? (scope['grants'] as { may?: unknown }[]) : [];
    return grants.flatMap((grant, index) =>
      (Array.isArray(grant?.may) ? grant.may : []).flatMap((verb, place) =>
        ['select', 'insert'].includes(String(verb))
          ? []
          : [{ path: `grants[${index}].may[${place}]`, problem: 'no such right' }],
      ),
    );
  },
  capabilities: (target) => ({
    strategies: target === 'cache' ? ['overlap'] : ['alternate', 'in-place'],
    observesUse: true,
  }),
};

/** A manifest with one identity, each of whose lines can be replaced. */
export function manifest(lines: Partial<Record<string, string>> = {}): string {
  const fields = {
    name: 'payments-db',
    kind: 'database-role',
    owner: '{ person: ada@example.com }',
    purpose: 'the payments API writes the ledger',
    environment: 'production',
    target: '{ name: ledger-db, scope: { grants: [{ on: ledger, may: [select] }] } }',
    deliver: '[{ store: local, path: payments/db }]',
    rotation: '{ every: 30d }',
    ...lines,
  };
  const written = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `identities:\n${written.map(([name, value], index) => `${index === 0 ? '  - ' : '    '}${name}: ${value}\n`).join('')}`;
}

export function read(text: string, some: ManifestContext = context) {
  return readManifests('m.yaml', text, some);
}

/** The problems as people read them. */
export function problems(text: string, some: ManifestContext = context): string[] {
  return read(text, some).problems.map(formatProblem);
}
