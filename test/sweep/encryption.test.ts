/**
 * Encryption of payloads over whole lives, on real servers: it is switched on, its key is followed by another, and it is switched off, while
 * an identity lives through all of it. What was sent while it was on is in no history and in no file of Temporal's server.
 */
import '../support/quiet.js';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { loadEncryption } from '../../src/config/encryption.js';
import { workflowBundlePath } from '../../src/temporal/bundle.js';
import { dataConverterFor, encodingFailures } from '../../src/temporal/codec/converter.js';
import { createCodecKey } from '../../src/temporal/codec/key.js';
import { connectClient, type ConnectedClient } from '../../src/temporal/connection.js';
import { pretend } from '../cli/support/terminal.js';
import { clearIn, keysIn } from '../codec/clear.js';
import { CanaryScan } from '../support/canary.js';
import { eventually } from '../support/engine.js';
import { describeOn } from '../support/machine.js';
import { prepareGround } from './ground.js';
import { Lane, workerProgram } from './lane.js';
import { enduringTiming, Subject } from './subject.js';

const { History } = proto.temporal.api.history.v1;

/** Sent while nothing was encrypted, by phase: that they are found shows that the search can find. */
const clear = { before: 'asked before the switch', after: 'asked after the switch' };
/** Sent while payloads were encrypted. */
const secret = {
  reason: 'the auditor of Halmstad asked',
  'reason under the second key': 'the auditor of Kungsbacka asked',
  'reason of a decision': 'seen and found good by Falkenberg',
  purpose: 'pays the suppliers of Varberg',
  scope: '"may":["select"]',
  'who decides': 'grace@example.com',
  'message of a failure': 'answered 409',
};

const started = await prepareGround();
describeOn(started, 'encryption of payloads', (ground) => {
  let lane: Lane;
  let turning: Subject;
  let sealed: Subject;
  const open: ConnectedClient[] = [];

  beforeAll(async () => {
    for (const id of ['k1', 'k2']) await createCodecKey(join(ground.folder, `${id}.codec-key`), id);
    lane = await Lane.outside(ground, 'turns', await workerProgram(join(ground.folder, 'program')));
    turning = new Subject(lane, { timing: enduringTiming });
    await lived(turning, { kind: 'provision', reason: clear.before });

    await turnTo({ keys: [key('k1')] });
    // Activities fail meanwhile, and say where the store should be.
    await ground.takeStoreAway();
    const rotated = lived(turning, { kind: 'rotate', reason: secret.reason });
    await eventually(failures, (found) => found > 0);
    await ground.bringStoreBack();
    await rotated;
    const scope = { grants: [{ on: 'ledger', may: ['select'] }] };
    sealed = new Subject(lane, {
      timing: enduringTiming,
      spec: { purpose: secret.purpose, target: { name: 'ledger', scope } },
    });
    await lived(sealed, { kind: 'provision', reason: secret.reason });
    ground.stubborn.add(sealed.name);
    await lived(sealed, { kind: 'rotate', reason: secret.reason }, 'update');

    await turnTo({ keys: [key('k1'), key('k2')], current: 'k2' });
    await lived(turning, { kind: 'validate', reason: secret['reason under the second key'] });
    const offboarded = lived(sealed, { kind: 'offboard', reason: secret['reason under the second key'] });
    await voted(sealed, secret['reason of a decision']);
    await offboarded;

    await turnTo({ keys: [key('k1'), key('k2')], current: 'k2', encrypt: false });
    await lived(turning, { kind: 'rotate', reason: clear.after });
    for (const subject of [turning, sealed]) await subject.close();
  }, 300_000);
  afterAll(async () => {
    await lane?.stop();
    await Promise.all(open.map(({ connection }) => connection.close()));
    await ground.stop();
  }, 60_000);

  test('no history and no file of Temporal’s server has what was sent while it was on', async () => {
    const scan = new CanaryScan(Object.entries(secret).map(([name, text]) => ({ name, secret: text })));
    for (const { workflowId, text } of await histories()) scan.text(workflowId, text);
    for (const file of [ground.database, `${ground.database}-wal`]) await scan.file(file);
    await scan.file(join(ground.logs, 'temporal.log'));
    expect(scan.findings).toEqual([]);
    expect(scan.scanned).toBeGreaterThan(1_000_000);
  });

  test('what was sent before and after is found in both: the search can find', async () => {
    const scan = new CanaryScan(Object.entries(clear).map(([name, text]) => ({ name, secret: text })));
    for (const { text } of await histories()) scan.text('a history', text);
    for (const file of [ground.database, `${ground.database}-wal`]) {
      const own = new CanaryScan(Object.entries(clear).map(([name, text]) => ({ name, secret: text })));
      await own.file(file);
      scan.findings.push(...own.findings.map((finding) => ({ ...finding, place: 'a file' })));
    }
    for (const [name] of Object.entries(clear))
      for (const place of ['a history', 'a file'])
        expect(scan.findings.map((found) => `${found.secret} in ${found.place}`)).toContain(`${name} in ${place}`);
  });

  test('what stays clear in an encrypted life is what docs/encryption.md says, and nothing else', async () => {
    const found = new Set<string>();
    for (const { workflowId, history } of await histories())
      if (workflowId.startsWith(`nhi/${sealed.name}`)) for (const place of clearIn(history)) found.add(place);
    const page = await readFile(join(import.meta.dirname, '../../docs/encryption.md'), 'utf8');
    const undocumented = [...found].filter((place) => !page.includes(`\`${place}\``));
    expect(undocumented).toEqual([]);
    expect(found).toContain('NhiOwner');
  });

  test('of a failure, of an activity as of a workflow, only what the server says itself stays clear', async () => {
    const encrypted = [`nhi/${turning.name}/rotate/2`, `nhi/${sealed.name}/rotate/2`];
    const own = (await histories()).filter(({ workflowId }) => encrypted.includes(workflowId));
    expect(own.map(({ history }) => messagesIn(history).length > 0)).toEqual([true, true]);
    const messages = own.flatMap(({ history }) => messagesIn(history));
    expect(messages.filter((message) => message !== 'Encoded failure')).toEqual([]);
  });

  test('an identity lives through the switch, another key and the switch back: its history has all of them', async () => {
    const { recent } = await turning.state();
    expect(recent.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual(
      expect.arrayContaining(['provision succeeded', 'rotate succeeded', 'validate succeeded']),
    );
    const own = (await histories()).filter(({ workflowId }) => workflowId === `nhi/${turning.name}`);
    const keys = new Set(own.flatMap(({ history }) => [...keysIn(history)]));
    expect([...keys].toSorted()).toEqual(['', 'k1', 'k2']);
  });

  test('every history replays, by the code as it was and as it is with encryption', async () => {
    const code = await readFile(workflowBundlePath(), 'utf8');
    for (const bundled of [code, encodingFailures(code)]) {
      const options = { workflowBundle: { code: bundled }, dataConverter: await converter() };
      const replays = Worker.runReplayHistories(options, lane.client.workflow.list({}).intoHistories());
      let count = 0;
      for await (const { workflowId, error } of replays) {
        expect(error?.message, workflowId).toBeUndefined();
        count += 1;
      }
      expect(count).toBeGreaterThanOrEqual(8);
    }
  }, 120_000);

  test('tenure history and show tell all of it, with the messages of failures', async () => {
    const told = await tenure('history', turning.name);
    for (const reason of [clear.before, secret.reason, secret['reason under the second key'], clear.after])
      expect(told.stdout).toContain(reason);
    const failed = await tenure('history', sealed.name);
    expect(failed.stdout).toContain('answered 409');
    expect(failed.stdout + failed.stderr).not.toMatch(/Encoded failure|not all of it/);
    expect((await tenure('show', sealed.name)).stdout).toContain(sealed.name);
  });

  test('without the key they say which one is missing', async () => {
    const folder = await mkdtemp(join(ground.folder, 'elsewhere-'));
    const written = JSON.parse(await readFile(ground.config.file, 'utf8')) as Record<string, unknown>;
    const only = {
      ...written,
      encryption: { keys: [{ id: 'k1', key: { file: join(ground.folder, 'k1.codec-key') } }] },
    };
    await writeFile(join(folder, 'tenure.yaml'), JSON.stringify(only));
    const { code, stdout, stderr } = await tenure('history', turning.name, '--config', join(folder, 'tenure.yaml'));
    expect(code).toBe(0);
    expect(stdout).toContain(secret.reason);
    expect(stderr).toContain('encrypted with key k2, which is not under encryption.keys');
    await writeFile(join(folder, 'tenure.yaml'), JSON.stringify({ ...written, encryption: undefined }));
    const bare = await tenure('history', turning.name, '--config', join(folder, 'tenure.yaml'));
    expect(bare.stdout).toContain(clear.before);
    expect(bare.stdout).not.toContain(secret.reason);
    expect(bare.stderr).toContain('encrypted with key k1');
  });

  test('evidence is verified with the keys, replay included, and says so without them', async () => {
    const bundle = join(ground.folder, 'bundle.json');
    expect((await tenure('evidence', 'export', '--all', '--out', bundle)).code).toBe(0);
    const verify = [
      'evidence',
      'verify',
      bundle,
      '--log-key',
      join(ground.config.stateDirectory, 'evidence', 'log.vkey'),
    ];
    const withKeys = await tenure(...verify, '--config', ground.config.file);
    expect(withKeys.stdout).not.toContain('broken ');
    expect(withKeys.code, withKeys.stdout + withKeys.stderr).toBe(0);
    expect(withKeys.stdout.match(/replay: the code of that version wants the same/g)!.length).toBeGreaterThanOrEqual(6);
    const without = await tenure(...verify);
    expect(without.stdout).toContain('its payloads are encoded; bring the codec’s keys with --config');
    expect(without.stdout).not.toContain('broken ');
  }, 120_000);

  function key(id: string): object {
    return { id, key: { file: `${id}.codec-key` } };
  }

  /** Writes the operator's file, and lets another worker follow that reads it. */
  async function turnTo(encryption: object): Promise<void> {
    const written = JSON.parse(await readFile(ground.config.file, 'utf8')) as Record<string, unknown>;
    await writeFile(ground.config.file, JSON.stringify({ ...written, encryption }, undefined, 2));
    for (const worker of lane.workers) worker.kill();
    const { address } = ground.temporal;
    const connected = await connectClient({ address, namespace: lane.namespace }, { dataConverter: await converter() });
    open.push(connected);
    Object.assign(lane, { client: connected.client });
  }

  /** Attempts of activities under way that have failed, as the server shows them. */
  async function failures(): Promise<number> {
    const { running } = await turning.state();
    if (!running) return 0;
    const { raw } = await lane.client.workflow.getHandle(running.operation).describe();
    return (raw.pendingActivities ?? []).filter(({ lastFailure }) => lastFailure).length;
  }

  async function converter(): ReturnType<typeof dataConverterFor> {
    return dataConverterFor(await loadEncryption(ground.config.file));
  }

  async function histories(): Promise<{ workflowId: string; history: object; text: string }[]> {
    const all: { workflowId: string; history: object; text: string }[] = [];
    for await (const { workflowId, runId } of lane.client.workflow.list({})) {
      const fetched = History.fromObject(await lane.client.workflow.getHandle(workflowId, runId).fetchHistory());
      const history = History.toObject(fetched, { longs: String, enums: String });
      // As bytes too: base64 in JSON would hide what the bytes say only from a search that does not know base64.
      all.push({ workflowId, history, text: Buffer.from(History.encode(fetched).finish()).toString('latin1') });
    }
    return all;
  }

  async function tenure(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { TEMPORAL_ADDRESS: ground.temporal.address, TEMPORAL_NAMESPACE: lane.namespace };
    const terminal = pretend({ cwd: ground.folder, env });
    const code = await run(argv, terminal.io);
    return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
  }
});

function messagesIn(history: object): string[] {
  return [...JSON.stringify(history).matchAll(/"message":"([^"]*)"/g)].map(([, message]) => message!);
}

/** Asks, as a signal or as an update, and waits for the end. */
async function lived(
  subject: Subject,
  request: Parameters<Subject['tell']>[0],
  how: 'signal' | 'update' = 'signal',
): Promise<void> {
  const id = how === 'signal' ? await subject.tell(request) : (await subject.ask(request)).id;
  await subject.stateWhen(({ recent }) => recent.some(({ requestId }) => requestId === id));
}

/** Approves as soon as the gate is open. */
async function voted(subject: Subject, reason: string): Promise<void> {
  const { running } = await subject.stateWhen((state) => state.running !== undefined);
  for (;;) {
    const { gate } = await subject.process(running!.operation);
    if (gate?.outcome === 'open') return subject.vote(running!.operation, { reason });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
