/** `tenure review` as a pipeline runs it, on a real log and without Temporal. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { loadConfig } from '../../src/config/load.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { openEvidenceWriter } from '../../src/evidence/open.js';
import { statementOf } from '../../src/evidence/records.js';
import { pretend } from '../cli/support/terminal.js';
import { recordOf, now } from './records.js';

let folder: string;
let empty: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-review-'));
  empty = await mkdtemp(join(tmpdir(), 'tenure-review-empty-'));
  for (const place of [folder, empty])
    await writeFile(join(place, 'tenure.yaml'), 'review: { pair: { approvals: 2 } }\n');
  const { append } = openEvidenceWriter(await loadConfig(join(folder, 'tenure.yaml')));
  // The records of the other tests are relative to an instant of theirs; the verb looks at the clock.
  for (const shift of [1, 2]) await append(statementOf(recent(shift)));
});
afterAll(() => Promise.all([folder, empty].map((place) => rm(place, { recursive: true, force: true }))));

function recent(hours: number): ProcessRecord {
  const record = recordOf({ by: 'ada', approver: 'grace', agoMs: hours * 3_600_000 });
  const shifted = JSON.stringify({ ...record, history: undefined, run: `run-${hours}` }).replaceAll(
    /\d{4}-\d{2}-\d{2}T[\d:.]+Z/g,
    (instant) => new Date(Date.parse(instant) + Date.now() - now.getTime()).toISOString(),
  );
  return JSON.parse(shifted) as ProcessRecord;
}

async function tenure(place: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const pretended = pretend({ env: { TENURE_CONFIG: join(place, 'tenure.yaml'), TEMPORAL_ADDRESS: '127.0.0.1:1' } });
  const code = await run(['review', ...argv], pretended.io);
  return { code, out: pretended.stdout(), err: pretended.stderr() };
}

describe('tenure review', () => {
  test('names each finding with its evidence and controls, and what could not be looked at', async () => {
    const { code, out, err } = await tenure(folder);
    expect(code).toBe(0);
    expect(out).toContain('same-pair: grace gave 2 of the 2 approvals that ada got');
    expect(out).toMatch(/evidence: nhi\/db\/rotate\/\d+, nhi\/db\/rotate\/\d+/);
    expect(out).toContain('800-53:AC-5');
    expect(err).toContain('owners of identities were not looked at');
  });

  test('gives the same as one JSON document', async () => {
    const { out } = await tenure(folder, '--json', '--rule', 'same-pair');
    expect(JSON.parse(out)).toMatchObject({
      v: 1,
      findings: [{ rule: 'same-pair', evidence: [expect.any(String), expect.any(String)] }],
    });
  });

  test('says so where there is nothing', async () => {
    expect(await tenure(empty)).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing is worth a second look'),
    });
  });

  test('does not pass a pipeline for what it could not look at', async () => {
    expect(await tenure(empty, '--fail-on', 'high')).toMatchObject({ code: 1, err: expect.stringContaining('error:') });
  });

  test('takes no severity that there is not', async () => {
    expect((await tenure(empty, '--fail-on', 'grave')).code).toBe(2);
  });
});
