/** What whoever decides is told: only what was seen to count is said to. */
import { expect, test } from 'vitest';
import { demandCounted, type Deciding } from '../../src/cli/decided.js';
import { gateOf, voteOf } from '../support/gates.js';

const ballot = { signed: { statement: '{}', signature: 'this one' } };
const counted = { ...voteOf('grace'), ballot };
const refused = { at: '2026-01-01T00:02:00.000Z', claimed: 'grace', reason: 'nobody approves their own request' };
const open: Deciding = { gate: gateOf() };

/** Tells what each look sees, and the last one again and again. */
function sent(looks: readonly (Deciding | undefined)[], { isWithdrawal = false, before = open } = {}): Promise<void> {
  let count = 0;
  return demandCounted({ ballot, by: 'grace', isWithdrawal, before }, async () => looks[count++] ?? looks.at(-1));
}

test('a decision that is among the votes counts, however late it is seen', async () => {
  await expect(sent([undefined, open, { gate: gateOf({ votes: [counted] }) }])).resolves.toBeUndefined();
});

test('one that is refused is told so, with the reason', async () => {
  const seen = { gate: gateOf({ refused: [refused] }) };
  await expect(sent([open, seen])).rejects.toThrow('it does not count: nobody approves their own request');
  await expect(sent([open, { ...open, inert: [refused] }])).rejects.toThrow('it does not count');
});

test('what was refused before, or to somebody else, is no answer to this one', async () => {
  const before = { gate: gateOf({ refused: [refused] }) };
  const other = { ...refused, claimed: 'eve' };
  const seen = [before, { gate: gateOf({ refused: [refused, other] }) }, { gate: gateOf({ votes: [counted] }) }];
  await expect(sent(seen, { before })).resolves.toBeUndefined();
});

test('a withdrawal counts when the vote is gone', async () => {
  const before = { gate: gateOf({ votes: [counted] }) };
  await expect(sent([before, open], { before, isWithdrawal: true })).resolves.toBeUndefined();
});

test('another round ends the waiting', async () => {
  await expect(sent([{ gate: gateOf({ number: 2 }) }])).resolves.toBeUndefined();
});
