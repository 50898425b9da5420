/** I1: secret material is nowhere but where it belongs. Every credential carries a marker, and every place is searched for it. */
import '../support/quiet.js';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import { identityId, identityMessages } from '../../src/domain/wire.js';
import { pretend } from '../cli/support/terminal.js';
import { CanaryScan, canarySecret, marker, watchProcesses } from '../support/canary.js';
import { describeOn } from '../support/machine.js';
import { prepareGround, type Ground } from './ground.js';
import { Lane, workerProgram } from './lane.js';
import { enduringTiming, Subject } from './subject.js';

const canaries = [{ name: 'planted', secret: marker }];

describe('the search', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const encodings: Readonly<Record<string, (text: Buffer) => Buffer>> = {
    raw: (text) => text,
    hex: (text) => Buffer.from(text.toString('hex')),
    HEX: (text) => Buffer.from(text.toString('hex').toUpperCase()),
    base64: (text) => Buffer.from(text.toString('base64')),
    base64url: (text) => Buffer.from(text.toString('base64url')),
  };
  const spellings: Readonly<Record<string, (secret: string) => string>> = {
    plain: (secret) => secret,
    JSON: (secret) => JSON.stringify({ secret }),
    URL: (secret) => encodeURIComponent(secret),
    form: (secret) => new URLSearchParams({ secret }).toString(),
  };
  const kinds = Object.keys(encodings).flatMap((encoding) =>
    Object.keys(spellings).map((spelling) => ({ encoding, spelling })),
  );

  test.each(kinds)('finds $spelling in $encoding, whatever stands around it', ({ encoding, spelling }) => {
    fc.assert(
      fc.property(bytes, bytes, (before, after) => {
        const secret = spellings[spelling]!(canarySecret());
        const scan = new CanaryScan(canaries);
        scan.bytes('here', encodings[encoding]!(Buffer.concat([before, Buffer.from(secret), after])));
        expect(scan.findings.map(({ place, secret: name }) => `${name} in ${place}`)).toContain('planted in here');
      }),
      { numRuns: 60 },
    );
  });

  test('finds nothing where nothing is, and what it finds is never quoted', () => {
    const scan = new CanaryScan(canaries);
    scan.text('here', 'an ordinary line with a "quote", a /slash/ and an &');
    expect(scan.findings).toEqual([]);
    scan.text('here', canarySecret());
    expect(JSON.stringify(scan.findings)).not.toContain(JSON.stringify(marker).slice(1, -1));
  });

  test('finds a secret across the pieces in which a large file is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-canary-'));
    const file = join(folder, 'large');
    await writeFile(file, Buffer.concat([Buffer.alloc((4 << 20) - 5), Buffer.from(marker), Buffer.alloc(1 << 20)]));
    const scan = new CanaryScan(canaries);
    await scan.file(file);
    await rm(folder, { recursive: true });
    expect(scan.findings).toMatchObject([{ place: file, form: 'raw' }]);
  });
});

const started = await prepareGround();
describeOn(started, 'over whole lives of identities', (ground) => {
  let watch: { stop(): number };
  const lives: Subject[] = [];
  let lane: Lane;
  let leaked: CanaryScan;

  beforeAll(async () => {
    watch = watchProcesses(ground.scan);
    lane = await Lane.outside(ground, 'lives', await workerProgram(join(ground.folder, 'program')));
    await Promise.all([live(lane, lives), failToRotate(lane, lives)]);
  }, 300_000);
  afterAll(async () => {
    await lane?.stop();
    await ground.stop();
  }, 60_000);

  test('I1: histories, query answers, current details, databases, logs, evidence, output and programs hold no secret', async () => {
    for (const subject of lives) await searchTemporal(subject, ground.scan);
    for (const subject of lives) await searchCommandLine(ground, lane, subject, ground.scan);
    await ground.search();
    expect(ground.scan.findings).toEqual([]);
    expect(watch.stop()).toBeGreaterThan(10);
    // The search has looked at what there was to look at.
    expect(ground.scan.scanned).toBeGreaterThan(1_000_000);
    expect(
      lives.flatMap((subject) => subject.materials()).every(({ material }) => material['password']!.includes(marker)),
    ).toBe(true);
  }, 120_000);

  test('is proven on a leak that is planted in each of these places', { timeout: 120_000 }, async () => {
    const subject = lives[1]!;
    leaked = new CanaryScan(canaries);
    const secret = canarySecret();
    // The reason goes wherever a payload goes; who nobody proved to be stands among the problems of the identity.
    const { id } = await subject.ask({ kind: 'validate', reason: secret });
    const unsigned: ChangeRequest = { id: 'planted', kind: 'validate', requester: secret };
    await lane.client.workflow
      .getHandle(identityId(subject.name))
      .executeUpdate<Answer, [ChangeRequest]>(identityMessages.request, { args: [unsigned] });
    await subject.stateWhen(({ recent }) => recent.some(({ requestId }) => requestId === id));
    await ground.postgres.sql(`SELECT '${secret.replaceAll("'", "''")}'`);
    await appendFile(join(ground.logs, 'planted.log'), `${JSON.stringify({ msg: secret })}\n`);
    const sleeper = spawn('sleep', ['5'], { argv0: secret, env: { PATH: process.env['PATH'], PLANTED: secret } });
    await once(sleeper, 'spawn');
    await sleep(100);
    leaked.processes();
    sleeper.kill('SIGKILL');
    await searchTemporal(subject, leaked);
    await searchCommandLine(ground, lane, subject, leaked);
    for (const file of [
      ground.database,
      `${ground.database}-wal`,
      ground.postgres.logFile,
      join(ground.logs, 'planted.log'),
    ])
      await leaked.file(file);
    await leaked.folder(join(ground.config.stateDirectory, 'evidence'));
    const places = new Set(leaked.findings.map(({ place }) => place));
    for (const place of [
      'the history of a process',
      'the history of an identity',
      'the answer of a query',
      'the current details',
      'the output of tenure history',
      'arguments of a program',
      'environment of a program',
      ground.postgres.logFile,
      join(ground.logs, 'planted.log'),
    ])
      expect(places, place).toContain(place);
    expect(places.has(ground.database) || places.has(`${ground.database}-wal`)).toBe(true);
    expect([...places].some((place) => place.includes('/evidence/'))).toBe(true);
  });
});

/** Every process, with a consumer that is told, and an end by each kind of revocation. */
async function live(lane: Lane, lives: Subject[]): Promise<void> {
  const subject = new Subject(lane, { timing: enduringTiming });
  lives.push(subject);
  const ended = async (request: Parameters<Subject['ask']>[0]): Promise<void> => {
    const id = await subject.tell(request);
    if (request.kind === 'offboard') await approve(subject);
    await subject.stateWhen(({ recent }) => recent.some(({ requestId }) => requestId === id));
  };
  for (const kind of ['provision', 'rotate', 'validate'] as const) await ended({ kind });
  subject.monitor.revocationIsAsked();
  await ended({ kind: 'revoke', emergency: true });
  await ended({ kind: 'provision' });
  await ended({ kind: 'revoke' });
  await ended({ kind: 'provision' });
  await ended({ kind: 'offboard' });
  await subject.close();
}

/** A rotation that every step of the way back belongs to. */
async function failToRotate(lane: Lane, lives: Subject[]): Promise<void> {
  const subject = new Subject(lane, { timing: enduringTiming });
  lives.push(subject);
  await subject.tell({ kind: 'provision' });
  await subject.stateWhen(({ running, current }) => !running && current !== undefined);
  lane.ground.stubborn.add(subject.name);
  const id = await subject.tell({ kind: 'rotate' });
  await subject.stateWhen(({ recent }) => recent.some(({ requestId }) => requestId === id));
  await subject.close();
}

async function approve(subject: Subject): Promise<void> {
  for (;;) {
    const { running } = await subject.state();
    const { gate } = running ? await subject.process(running.operation) : {};
    if (running && gate?.outcome === 'open') return subject.vote(running.operation, {});
    await sleep(100);
  }
}

async function searchTemporal(subject: Subject, scan: CanaryScan): Promise<void> {
  const { workflow } = subject.lane.client;
  const { History } = proto.temporal.api.history.v1;
  for await (const { workflowId, raw } of workflow.list({ query: `WorkflowId STARTS_WITH 'nhi/${subject.name}'` })) {
    const handle = workflow.getHandle(workflowId);
    const history = History.fromObject(await handle.fetchHistory());
    const isProcess = workflowId.split('/').length > 2;
    const place = isProcess ? 'the history of a process' : 'the history of an identity';
    scan.text(place, JSON.stringify(History.toObject(history, { bytes: String, longs: String, enums: String })));
    scan.text(
      'the description of a workflow',
      JSON.stringify([raw, await handle.describe()], (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}` : value,
      ),
    );
    scan.text('the answer of a query', JSON.stringify(await handle.query(isProcess ? 'process' : 'state')));
    scan.text('the current details', JSON.stringify(await handle.query('__temporal_workflow_metadata')));
  }
}

async function searchCommandLine(ground: Ground, lane: Lane, { name }: Subject, scan: CanaryScan): Promise<void> {
  const env = { TEMPORAL_ADDRESS: ground.temporal.address, TEMPORAL_NAMESPACE: lane.namespace };
  for (const verb of [['show', name], ['history', name], ['list']]) {
    for (const format of [[], ['--json']]) {
      const terminal = pretend({ cwd: ground.folder, env });
      await run([...verb, ...format], terminal.io);
      expect(terminal.stdout().length, `${verb.join(' ')}: ${terminal.stderr()}`).toBeGreaterThan(0);
      scan.text(`the output of tenure ${verb[0]}`, terminal.stdout() + terminal.stderr());
    }
  }
}
