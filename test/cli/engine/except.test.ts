/** `tenure except` against a real server, with real signatures. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/program.js';
import { exceptionId, exceptionWorkflow } from '../../../src/domain/exception.js';
import { identityId, identityWorkflow, taskQueue } from '../../../src/domain/wire.js';
import { liveExceptions } from '../../../src/exceptions/live.js';
import { ada, alan, ExceptionEngine, grace, olga, robot } from '../../support/exceptions.js';
import { eventually } from '../../support/engine.js';
import { directoryOf, directoryYaml, type TestSigner } from '../../support/signers.js';
import { pretend } from '../support/terminal.js';

let engine: ExceptionEngine;
beforeAll(async () => {
  engine = await ExceptionEngine.start();
  await mkdir(join(engine.folder, '.tenure', 'keys'), { recursive: true });
  for (const { name, pem } of [ada, grace, olga])
    await writeFile(join(engine.folder, '.tenure', 'keys', `${name}.pem`), pem!, { mode: 0o600 });
  const rules = "exceptions: { commands: { 'yes': [/bin/true] }, life: 10d }\n";
  const key = join(engine.folder, 'keys', 'evidence.pem');
  const evidence = `evidence: { key: { file: '${key}' }, log: { directory: '${join(engine.folder, 'evidence')}' } }\n`;
  await writeFile(
    join(engine.folder, 'tenure.yaml'),
    directoryYaml(directoryOf(ada, grace, alan, olga, robot)) + rules + evidence,
  );
  await engine.client.workflow.start(identityWorkflow, {
    workflowId: identityId('payments-db'),
    taskQueue,
    args: [{ name: 'payments-db', state: engine.around.state('payments-db') }],
  });
});
afterAll(async () => engine?.stop());

const tenure = (as: TestSigner, ...argv: string[]) => command(as, 'except', ...argv);

async function command(as: TestSigner, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const { address } = engine;
  const env = { TENURE_CONFIG: join(engine.folder, 'tenure.yaml'), TEMPORAL_ADDRESS: address, TENURE_AS: as.name };
  const pretended = pretend({ env });
  const code = await run(argv, pretended.io);
  return { code, out: pretended.stdout(), err: pretended.stderr() };
}

const ask = [
  'ask',
  'payments-db',
  '--rule',
  'rotation-overdue',
  '--reason',
  'the vendor changes its driver',
  '--control',
  'kind=command name=yes',
];

async function askedFor(...more: string[]): Promise<string> {
  const { out, err } = await tenure(ada, ...ask, ...more, '--json');
  const { exception } = JSON.parse(out) as { exception?: string };
  if (exception === undefined) throw new Error(err);
  await engine.when(exception, ({ phase }) => phase === 'gate');
  return exception;
}

describe('tenure except', () => {
  test('asks, shows what is signed, and holds once somebody else approves; then it is withdrawn', async () => {
    const id = await askedFor();
    expect(await tenure(ada, 'list')).toMatchObject({
      code: 0,
      out: expect.stringContaining(`tenure except approve ${id}`),
    });
    const approved = await tenure(grace, 'approve', id, '--yes');
    expect(approved).toMatchObject({
      code: 0,
      out: expect.stringContaining('Control holds: the program yes says yes'),
    });
    await engine.when(id, ({ phase }) => phase === 'active');
    expect((await liveExceptions(engine.folder, 'payments-db', new Date())).map((one) => one.id)).toContain(id);
    expect((await tenure(olga, 'withdraw', id, '--reason', 'rotated by hand')).code).toBe(0);
    await engine.when(id, ({ phase }) => phase === 'ended');
    expect((await tenure(ada, 'list', '--all')).out).toMatch(new RegExp(`${id}.*ended.* - +tenure explain ${id}`));
    await engine.client.workflow.getHandle(exceptionId(id)).result();

    const told = await command(ada, 'explain', id);
    expect(told.out).toMatch(/ended at .*: withdrawn by olga.*grace@example\.com approved.*The word of olga/s);
    const bundle = join(engine.folder, 'exported');
    expect((await command(ada, 'evidence', 'export', '--operation', exceptionId(id), '--out', bundle)).out).toMatch(
      /^2 records/,
    );
    const verified = await command(ada, 'evidence', 'verify', bundle, '--log-key', join(bundle, 'log.vkey'));
    expect([verified.code, verified.out]).toEqual([0, expect.stringMatching(/it holds: \d+ checks held, 0 not/)]);
    for (const check of ['approval of grace@example.com', 'approved before', 'end: olga', 'history says', 'replay'])
      expect(verified.out).toContain(check);
  });

  test('lets nobody approve their own, and says why on record', async () => {
    const id = await askedFor();
    await tenure(ada, 'approve', id, '--yes');
    const { gate } = await engine.when(id, (state) => state.gate!.refused.length > 0);
    expect([gate!.votes.length, gate!.refused[0]!.reason]).toEqual([
      0,
      expect.stringContaining('nobody approves their own request'),
    ]);
    expect((await tenure(grace, 'deny', id, '--yes', '--reason', 'no')).code).toBe(0);
    await engine.when(id, ({ phase }) => phase === 'ended');
  });

  test('lasts as long as the configuration says, and no longer than policy allows', async () => {
    const id = await askedFor();
    const { terms } = await engine.when(id, () => true);
    const days = (Date.parse(terms!.until) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(9.9);
    expect(days).toBeLessThan(10.1);
    expect(await tenure(ada, ...ask, '--until', '91d')).toMatchObject({
      code: 1,
      err: expect.stringContaining('lasts 90 days at most'),
    });
    await tenure(ada, 'withdraw', id, '--reason', 'the test is over');
  });

  test.each([
    [
      'a gate to be excepted from',
      ['--rule', 'production'],
      1,
      /Nobody is excepted from who may ask, from gates[^]*next: tenure policy explain payments-db --action except --rule/,
    ],
    ['a program that is not named', ['--control', 'kind=command name=other'], 2, /no program is named other/],
    [
      'a reason that says too little',
      ['--reason', 'too slow'],
      2,
      /of 15 to 1,000 characters\n {2}next: tenure except ask --help/,
    ],
  ])('asks for nothing with %s', async (_what, more, expected, message) => {
    const before = (await engine.client.workflow.count(`WorkflowType = '${exceptionWorkflow}'`)).count;
    const { code, err } = await tenure(ada, ...ask, ...more);
    expect([code, err]).toEqual([expected, expect.stringMatching(message)]);
    expect((await engine.client.workflow.count(`WorkflowType = '${exceptionWorkflow}'`)).count).toBe(before);
  });

  test.each([
    ['kind=sentence'],
    ['kind=http url=nowhere'],
    ['kind=sessions at-most=many'],
    ['kind=validate name=x'],
    ['kind=validate kind=validate'],
    [''],
  ])('takes no control %j', async (control) => {
    expect((await tenure(ada, ...ask, '--control', control)).code).toBe(2);
  });

  test('says so where there is none of this name', async () => {
    expect(await tenure(grace, 'approve', 'no-such', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no exception no-such'),
    });
  });
});

describe('tenure approvals', () => {
  interface Approvals {
    readonly approvals: readonly { readonly exception?: string; readonly mayDecide: readonly string[] }[];
  }

  test('lists an exception at its gate: why, who may decide, what is missing, and what to do next', async () => {
    const id = await askedFor();
    const listed = await eventually(
      () => command(grace, 'approvals'),
      ({ out }) => out.includes(id),
    );
    for (const said of [
      `${id} of payments-db: gate`,
      'Leaves unmet: rotation-overdue',
      'Identity: database-role in test, internal data, of olga@example.com, at db',
      'Because of: exception-second-person (An exception has the consent of somebody of platform or of security.)',
      'May decide: people of platform or security but ada@example.com and olga@example.com',
      'Missing: needs 1 more approval, from platform or security',
      'In the directory now: alan@example.com, grace@example.com',
      `next: tenure except approve ${id}`,
    ])
      expect(listed.out).toContain(said);
    const { approvals } = JSON.parse((await command(ada, 'approvals', '--json')).out) as Approvals;
    expect(approvals.find(({ exception }) => exception === id)).toMatchObject({
      operation: `exception/${id}`,
      identity: 'payments-db',
      terms: { id, rules: ['rotation-overdue'] },
      gate: { outcome: 'open', groups: ['platform|security'] },
      facts: { environment: 'test', owner: 'olga@example.com' },
      checks: [{ holds: true }],
      mayDecide: ['alan@example.com', 'grace@example.com'],
    });
    for (const [who, isTheirs] of [
      [grace, true],
      [ada, false],
      [olga, false],
    ] as const) {
      const { out } = await command(who, 'approvals', '--mine', '--as', who.name);
      expect([who.name, out.includes(id)]).toEqual([who.name, isTheirs]);
    }
    await tenure(grace, 'deny', id, '--yes', '--reason', 'the test is over');
    await engine.when(id, ({ phase }) => phase === 'ended');
    await eventually(
      () => command(grace, 'approvals'),
      ({ out }) => !out.includes(id),
    );
  });

  test('says with an approval that was refused that the owner approves none of their own', async () => {
    const id = await askedFor();
    engine.around.directory = directoryOf(
      ada,
      grace,
      alan,
      { ...olga, party: { ...olga.party, groups: ['security'] } },
      robot,
    );
    await tenure(olga, 'approve', id, '--yes');
    const { gate } = await engine.when(id, (state) => state.gate!.refused.length > 0);
    expect(gate!.refused[0]!.reason).toContain('others than the owner approve an exception of it');
    await tenure(ada, 'withdraw', id, '--reason', 'the test is over');
  });
});
