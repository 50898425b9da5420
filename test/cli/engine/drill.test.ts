/** `tenure drill` on a system whose controls are fakes: they believe whatever stands in a ballot, so what has to hold is broken. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/program.js';
import type { DrillResult } from '../../../src/drills/drill.js';
import { startReceiver, status } from '../../consumers/receiver.js';
import { Engine, specOf } from '../../support/engine.js';
import { directoryOf, directoryYaml, person } from '../../support/signers.js';
import { pretend } from '../support/terminal.js';

const ada = person('ada@example.com');
const grace = person('grace@example.com');

let engine: Engine;
let folder: string;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeAll(async () => {
  engine = await Engine.start();
  receiver = await startReceiver(status(204));
  folder = await mkdtemp(join(tmpdir(), 'tenure-drill-'));
  await mkdir(join(folder, '.tenure', 'keys'), { recursive: true });
  for (const { name, pem } of [ada, grace])
    await writeFile(join(folder, '.tenure', 'keys', `${name}.pem`), pem!, { mode: 0o600 });
  await writeFile(
    join(folder, 'tenure.yaml'),
    `${directoryYaml(directoryOf(ada, grace))}\ntargets: {}\nstores: {}\nnotices: { webhook: '${receiver.url}' }\n`,
  );
  for (const [name, tags] of [
    ['drill-db', { drill: 'true' }],
    ['payments-db', {}],
    ['open-db', { drill: 'true' }],
  ] as const)
    await engine.do({ kind: 'provision', spec: specOf(name, { tags }) }, name);
  engine.around.only.set('drill-db', {
    obligations: { approvals: 2, gateMs: 60_000 },
    // As long as a real one, so that it can be signed.
    policyDigest: `sha256:${'0'.repeat(64)}`,
  });
}, 60_000);
afterAll(async () => {
  await engine?.stop();
  await receiver?.close();
  await rm(folder, { recursive: true, force: true });
});

async function drill(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = {
    TENURE_CONFIG: join(folder, 'tenure.yaml'),
    TEMPORAL_ADDRESS: engine.server.address,
    TENURE_AS: ada.name,
  };
  const pretended = pretend({ env });
  const code = await run(['drill', ...argv], pretended.io);
  return { code, out: pretended.stdout(), err: pretended.stderr() };
}

describe('tenure drill', () => {
  test('touches nothing that is not declared for drills', async () => {
    const before = await engine.state('payments-db');
    const { code, err } = await drill('--identity', 'payments-db', '--second', grace.name);
    expect(err).toContain('its manifest has no tag drill: "true". Nothing was tried');
    expect(code).toBe(1);
    expect(await engine.state('payments-db')).toEqual(before);
  });

  test('says what it needs where there is no identity for drills yet', async () => {
    const { code, err } = await drill('--identity', 'no-such', '--second', grace.name);
    expect(code).toBe(1);
    expect(err).toContain('no identity is named no-such: drills need one that is there for nothing else');
    expect(err).toContain('next: tenure drill --help');
  });

  test('needs another person than who asks', async () => {
    const alone = await drill();
    expect(alone).toMatchObject({ code: 1 });
    expect(alone.err).toContain('drills need another person');
    const same = await drill('--second', ada.name);
    expect(same).toMatchObject({ code: 1 });
    expect(same.err).toContain('somebody else has to be the second person');
  });

  test('says what there is where a drill is named that is not', async () => {
    const { code, err } = await drill('--only', 'own-aproval');
    expect(err).toContain('there are spoofed-approver, own-approval');
    expect(code).toBe(2);
  });

  test('that held nothing is no success: what needs the operator’s hand or a machine is told as not run', async () => {
    const { code, out } = await drill('--second', grace.name, '--only', 'stolen-key', 'service-approves');
    expect(out).toContain('0 held, 0 broken, 2 not run');
    expect(out).toContain('npm run drill');
    expect(out).toContain('--machine NAME');
    expect(code).toBe(1);
  });

  test('reports what is broken with the process in which it happened, tells the operators, and exits with 1', async () => {
    const { code, out } = await drill('--second', grace.name, '--only', 'own-approval', '--json');
    const { ok, drills } = JSON.parse(out) as { ok: boolean; drills: DrillResult[] };
    expect(drills).toMatchObject([{ id: 'own-approval', outcome: 'broken' }]);
    expect(drills[0]!.proof).toMatch(/^nhi\/drill-db\/rotate\/\d+: it was counted$/);
    expect(ok).toBe(false);
    expect(code).toBe(1);
    const { data } = JSON.parse(receiver.received.at(-1)!.body) as { data: Record<string, string> };
    expect(data).toMatchObject({ identity: 'drill-db', level: 'alert' });
    expect(data['text']).toContain('own-approval (nhi/drill-db/rotate/');
    const { running, status: stands } = await engine.state('drill-db');
    expect({ running, stands }).toEqual({ running: undefined, stands: 'active' });
  });

  test('on an identity whose changes nobody has to approve proves nothing, and says so', async () => {
    const { code, out } = await drill('--identity', 'open-db', '--second', grace.name, '--only', 'own-approval');
    expect(out).toContain('needed no approval: the identity for drills has to be one whose changes policy gates');
    expect(code).toBe(1);
  });
});
