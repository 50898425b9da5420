import { expect, test } from 'vitest';
import { policySource } from '../../src/policy/policy.js';
import { questionOf, voteOf } from './scene.js';

test('x', async () => {
  const p = await policySource({ productionEnvironments: ['production'] }).current();
  console.log(p.decide(questionOf()));
  const q = questionOf({ environment: 'production', dataClass: 'regulated' });
  console.log(JSON.stringify(p.decide(q)), p.decide({ ...q, votes: [voteOf('bob@example.com', q.plan)] }));
  console.log(p.decide(questionOf({ kind: 'revoke', emergency: true })), p.decide(questionOf({ kind: 'validate' })));
  expect(1).toBe(1);
});
