import { describe, expect, it } from 'vitest';
import type { TenureConfig } from '../../src/config/types.js';
import { openTargets } from '../../src/targets/registry.js';

const options = {
  type: 'postgresql',
  host: '127.0.0.1',
  database: 'd',
  user: 'u',
  password: { env: 'NOT_SET_ANYWHERE' },
};
const config = (targets: TenureConfig['targets']) => ({ file: '/etc/tenure/tenure.yaml', targets }) as TenureConfig;

describe('the targets of an operator', () => {
  it('opens a target once, without connecting or reading its password', async () => {
    const targets = openTargets(config({ 'ledger-db': options }));
    expect(targets.get('ledger-db')).toBe(targets.get('ledger-db'));
    expect(targets.get('ledger-db').name).toBe('ledger-db');
    await targets.close();
  });

  it.each([['nowhere'], ['constructor']])('names the targets that there are when asked for %s', (name) => {
    expect(() => openTargets(config({ 'ledger-db': options })).get(name)).toThrow(/it has: ledger-db/);
  });

  it('names the types that there are', () => {
    const targets = openTargets(config({ odd: { type: 'oracle' } }));
    expect(() => targets.get('odd')).toThrow(/type oracle is not known; known are: postgresql/);
  });
});
