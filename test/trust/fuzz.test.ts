/**
 * Hostile input at random, from everything that could be a statement or a signature. `TENURE_FUZZ_INPUTS` asks for more inputs than the
 * usual run has time for, `TENURE_FUZZ_SEED` for the same ones again.
 */
import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import type { Signed, StatementType } from '../../src/domain/statement.js';
import { refusalReasons, type RefusalReason } from '../../src/trust/refusal.js';
import { readStatement } from '../../src/trust/statement-text.js';
import { readJws } from '../../src/trust/jws.js';
import { armor, readSshsig } from '../../src/trust/sshsig.js';
import { verifySigned } from '../../src/trust/verify.js';
import { directoryOf, person, securityKeyHolder, type TestSigner } from '../support/signers.js';
import { mutants } from './mutants.js';
import { now, statements } from './statements.js';

const asked = process.env['TENURE_FUZZ_INPUTS'];
const seed = Number(process.env['TENURE_FUZZ_SEED'] ?? randomInt(2 ** 31));
const inputs = Number(asked ?? 150_000);
/** A usual run ends by time where the machine is slow; one that was asked for more does not. */
const longestMs = asked === undefined ? 8_000 : Infinity;
/** So many inputs are tried on the slowest machine that a result is believed of. */
const fewest = 2_000;

const names = ['ada@example.com', 'grace@example.com', 'lin@example.com'] as const;
const signers: readonly TestSigner[] = [
  person(names[0], { key: 'ed25519' }),
  securityKeyHolder(names[1]),
  person(names[2], { key: 'jwk-ed25519' }),
  person(names[0], { key: 'p256' }),
  person(names[1], { key: 'rsa' }),
];
const directory = directoryOf(...signers);
const types = Object.keys(statements) as StatementType[];

/** Everything that is right, by everybody; many of these pairs are refused already. */
async function seeds(): Promise<Signed[]> {
  const signed = signers.map((signer) => types.map((typ) => signer.sign(statements[typ])));
  return Promise.all(signed.flat());
}

/** A refusal with a reason that is known, and nothing else. */
function demandRefusal(error: unknown, input: unknown): void {
  const isRefusal =
    error instanceof TenureError &&
    error.code === 'ApprovalRefused' &&
    refusalReasons.includes(error.facts['reason'] as RefusalReason);
  if (!isRefusal) throw new Error(`seed ${seed}: ${JSON.stringify(input)} caused ${String(error)}`, { cause: error });
}

function tell(what: string, count: number, ms: number): void {
  process.stdout.write(`fuzz: ${count} inputs to ${what} in ${Math.round(ms / 1_000)} s (seed ${seed})\n`);
}

/** Tries inputs until there were enough, or the time is over. Gives how many. */
async function run(what: string, tryOne: (index: number) => Promise<void> | void): Promise<number> {
  const start = performance.now();
  let count = 0;
  for (; count < inputs && performance.now() - start < longestMs; count += 1) await tryOne(count);
  tell(what, count, performance.now() - start);
  return count;
}

describe('hostile input', { timeout: 24 * 3_600_000 }, () => {
  test('to the reader of statements is what was there already, or refused', async () => {
    const texts = (await seeds()).map(({ statement }) => statement);
    const next = mutants(seed, texts);
    const count = await run('the reader of statements', (index) => {
      const text = next();
      try {
        const typ = types[index % types.length]!;
        // Whatever is read is in its one form.
        expect(readStatement(text, typ).typ).toBe(typ);
        expect(JSON.stringify(JSON.parse(text))).toHaveLength(text.length);
      } catch (error) {
        demandRefusal(error, text);
      }
    });
    expect(count).toBeGreaterThanOrEqual(Math.min(fewest, inputs));
  });

  test('to the readers of signatures is what was there already, or refused', async () => {
    const good = await seeds();
    const signatures = good.map(({ signature }) => signature);
    const blobs = signatures.filter((one) => one.startsWith('-')).map(blobOf);
    const [text, binary] = [mutants(seed, signatures), mutants(seed + 1, blobs)];
    const count = await run('the readers of signatures', (index) => {
      const signature = index % 2 === 0 ? text() : armor(Buffer.from(binary(), 'latin1'));
      try {
        const read = signature.startsWith('-----') ? readSshsig(signature) : readJws(signature);
        if (!('presence' in read) || signatures.includes(signature)) return;
        // It may name another key; it is a signature of nothing.
        const signed = good.filter(({ statement }) => read.isOf(Buffer.from(statement)));
        expect(signed).toEqual([]);
      } catch (error) {
        demandRefusal(error, signature);
      }
    });
    expect(count).toBeGreaterThanOrEqual(Math.min(fewest, inputs));
  });

  test('to the verifier is exactly something that somebody signed, or refused', async () => {
    const good = await seeds();
    const pairs = new Set(good.map(({ statement, signature }) => `${statement}\n${signature}`));
    const [nextText, nextSignature] = [
      mutants(
        seed + 2,
        good.map(({ statement }) => statement),
      ),
      mutants(
        seed + 3,
        good.map(({ signature }) => signature),
      ),
    ];
    let taken = 0;
    const count = await run('the verifier', async (index) => {
      const base = good[index % good.length]!;
      const how = index % 7;
      const statement = how < 3 ? nextText() : base.statement;
      const signature = how === 0 || how > 3 ? nextSignature() : base.signature;
      try {
        await verifySigned({ statement, signature }, { typ: types[index % types.length]!, directory, now });
        if (!pairs.has(`${statement}\n${signature}`)) throw new Error('something that nobody signed was taken');
        taken += 1;
      } catch (error) {
        demandRefusal(error, { statement, signature });
      }
    });
    expect(count).toBeGreaterThanOrEqual(Math.min(fewest, inputs));
    // The good ones among them are taken: else refusing would prove nothing.
    expect(taken).toBeGreaterThan(0);
  });
});

function blobOf(armored: string): string {
  return Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64').toString('latin1');
}
