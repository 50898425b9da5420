/** Somebody leaves: what depends on them is listed, handed over, or suspended. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/program.js';
import { listIdentities } from '../../../src/cli/visible.js';
import { Engine, eventually, specOf } from '../../support/engine.js';
import { automation, directoryOf, directoryYaml, person } from '../../support/signers.js';
import { pretend } from '../support/terminal.js';

const grace = person('grace@example.com', { groups: ['security'] });
const alan = person('alan@example.com');
const gone = person('gone@example.com', { to: '2026-01-01T00:00:00.000Z' });
const robot = automation('automation/of-left', 'left@example.com');
const left = person('left@example.com');

let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await Engine.start();
  folder = await mkdtemp(join(tmpdir(), 'tenure-owners-'));
  await mkdir(join(folder, '.tenure', 'keys'), { recursive: true });
  await writeFile(join(folder, '.tenure', 'keys', `${grace.name}.pem`), grace.pem!, { mode: 0o600 });
  await writeFile(join(folder, 'tenure.yaml'), directoryYaml(directoryOf(grace, alan, gone, left, robot)));
});
afterAll(async () => {
  await engine?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function tenure(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = {
    TENURE_CONFIG: join(folder, 'tenure.yaml'),
    TEMPORAL_ADDRESS: engine.server.address,
    TENURE_AS: grace.name,
  };
  const pretended = pretend({ env });
  const code = await run(['owners', 'departed', ...argv], pretended.io);
  return { code, out: pretended.stdout(), err: pretended.stderr() };
}

async function owned(owner: string, ...names: string[]): Promise<void> {
  for (const name of names)
    await engine.do({ kind: 'provision', spec: specOf(name, { owner: { person: owner, team: 'payments' } }) }, name);
  await eventually(
    () => listIdentities(engine.client, { owner }),
    (all) => names.every((name) => all.some((one) => one.name === name && one.status === 'active')),
  );
}

describe('tenure owners departed', () => {
  test('lists what depends on somebody, says that they still have keys, and changes nothing', async () => {
    await owned('left@example.com', 'listed-1', 'listed-2');
    const { code, out, err } = await tenure('left@example.com');
    expect(code).toBe(0);
    expect(out).toContain('Owns: listed-1 (active), listed-2 (active)');
    expect(out).toContain('Answers for the automations: automation/of-left');
    expect(err).toContain('is in the directory still, with 1 key(s)');
    expect((await engine.state('listed-1')).spec!.owner.person).toBe('left@example.com');
  });

  test('hands every identity over to somebody else, with a rotation that policy decides on', async () => {
    await owned('mover@example.com', 'moved-1', 'moved-2');
    const before = (await engine.state('moved-1')).current;
    const { code, out } = await tenure('mover@example.com', '--reassign-to', 'alan@example.com', '--yes', '--json');
    expect([code, (JSON.parse(out) as { results: object[] }).results]).toMatchObject([
      0,
      [
        { identity: 'moved-1', accepted: true },
        { identity: 'moved-2', accepted: true },
      ],
    ]);
    for (const name of ['moved-1', 'moved-2']) {
      const state = await engine.stateWhen(name, ({ spec }) => spec?.owner.person === 'alan@example.com');
      expect(state.spec!.owner).toEqual({ person: 'alan@example.com', team: 'payments' });
    }
    expect((await engine.state('moved-1')).current).not.toEqual(before);
    expect((await engine.state('moved-1')).recent.at(-1)).toMatchObject({ kind: 'rotate', outcome: 'succeeded' });
  });

  test('leaves the owner as it was where policy denies it: an owner may approve, so a new one is no small change', async () => {
    await owned('keeper@example.com', 'denied');
    engine.around.only.set('denied', { deny: 'as the test says' });
    await tenure('keeper@example.com', '--reassign-to', 'alan@example.com', '--yes');
    const state = await engine.stateWhen('denied', ({ recent }) => recent.at(-1)?.kind === 'rotate');
    expect([state.recent.at(-1)!.outcome, state.spec!.owner.person]).toEqual(['undone', 'keeper@example.com']);
  });

  test('suspends by revoking, and goes on where one is not taken', async () => {
    await owned('stopper@example.com', 'stopped-1', 'stopped-2');
    engine.around.only.set('stopped-1', { unproven: 'as the test says' });
    const { code, out } = await tenure('stopper@example.com', '--suspend', '--yes');
    await engine.stateWhen('stopped-2', ({ status }) => status === 'revoked');
    expect(code).toBe(1);
    expect(out).toMatch(/not taken stopped-1: .*as the test says/);
    expect(out).toContain('asked stopped-2');
    expect((await engine.state('stopped-1')).status).toBe('active');
  });

  test.each([
    ['nobody of the directory', 'stranger@example.com'],
    ['somebody who has left too', 'gone@example.com'],
    ['an automation', 'automation/of-left'],
    ['the same person', 'left@example.com'],
  ])('hands over to no %s', async (_who, to) => {
    const { code, err } = await tenure('left@example.com', '--reassign-to', to, '--yes');
    expect([code, err]).toEqual([1, expect.stringContaining('cannot take over')]);
    expect((await engine.state('listed-1')).spec!.owner.person).toBe('left@example.com');
  });

  test('does one of the two, and nothing unasked', async () => {
    expect((await tenure('left@example.com', '--reassign-to', 'alan@example.com', '--suspend', '--yes')).code).toBe(2);
    expect((await tenure('left@example.com', '--suspend')).code).toBe(2);
    expect((await engine.state('listed-1')).status).toBe('active');
  });

  test('names a gate that somebody is asked to decide at, and how many others can', async () => {
    await owned('owner@example.com', 'gated');
    engine.around.only.set('gated', { obligations: { approvals: 1, gateMs: 3_600_000 } });
    const answer = await engine.ask({ kind: 'rotate', requester: 'alan@example.com' }, 'gated');
    expect(answer.accepted).toBe(true);
    const { running } = await engine.stateWhen('gated', (state) => state.running !== undefined);
    await engine.processWhen(running!.operation, ({ gate }) => gate?.outcome === 'open');
    const { out } = await eventually(
      () => tenure('left@example.com'),
      ({ out: said }) => said.includes('May decide'),
    );
    expect(out).toMatch(/May decide: nhi\/gated\/rotate\/\d+ \(\d+ other\(s\) can\)/);
  });

  test('says so where nothing depends on somebody who is known', async () => {
    const { code, out } = await tenure('gone@example.com');
    expect([code, out]).toEqual([0, expect.stringContaining('nothing depends on gone@example.com\n')]);
  });

  test('takes nobody for somebody who left: a name that nothing knows is told as such', async () => {
    const { code, out, err } = await tenure('unknown@example.com');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('nobody is named unknown@example.com: the directory has no such person');
    expect(err).toContain('tenure list');
  });
});
