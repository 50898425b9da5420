import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { processOf, stateOf } from '../../src/cli/identities.js';

/** A client whose every query ends with this gRPC status. */
function answering(code: number): Client {
  const error = Object.assign(new Error('no answer'), { cause: Object.assign(new Error('Call ended'), { code }) });
  const client = {
    withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
    workflow: { getHandle: () => ({ query: () => Promise.reject(error) }) },
  };
  return client as unknown as Client;
}

it.each([
  ['DEADLINE_EXCEEDED', 4],
  ['CANCELLED, as a server says it that notices the deadline first', 1],
])('a query that ends with %s means that no worker answers', async (_name, code) => {
  expect(await stateOf(answering(code), 'payments-db')).toBeUndefined();
  expect(await processOf(answering(code), 'nhi/payments-db/rotate/1')).toBeUndefined();
});

it('a query that the server refuses is no missing worker', async () => {
  await expect(stateOf(answering(7), 'payments-db')).rejects.toThrow('no answer');
});
