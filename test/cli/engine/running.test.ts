/** The verbs that are for a process that runs, against a real Temporal server and the real workflows; only the target is a fake. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Consumer, IdentitySpec } from '../../../src/domain/identity.js';
import type { ProcessState, StageName, StageState } from '../../../src/domain/process.js';
import { TenureError } from '../../../src/domain/errors.js';
import { Engine, eventually, specOf } from '../../support/engine.js';
import { commandLineAt } from '../support/command-line.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => {
  await engine?.stop();
});
beforeEach(() => engine.around.target.faults.clear());

const { tenure } = commandLineAt(() => engine.server.address);

async function provisioned(name: string): Promise<string> {
  await engine.do({ kind: 'provision', spec: specOf(name) }, name);
  return name;
}

async function rotating(name: string, spec: IdentitySpec): Promise<string> {
  await engine.ask({ kind: 'rotate', spec }, name);
  return (await engine.stateWhen(name, ({ running }) => running !== undefined)).running!.operation;
}

function stageOf({ stages }: ProcessState, name: StageName): StageState {
  return stages.find((stage) => stage.name === name)!;
}

describe('ack', () => {
  const manual: Consumer = { name: 'new-in-this', notify: { ack: 'manual' } };

  test('takes the word of a consumer that is new in this very rotation, and of none that it does not tell', async () => {
    const name = await provisioned('acked');
    engine.around.only.set(name, { takes: () => 'pending' });
    const operation = await rotating(name, specOf(name, { consumers: [manual] }));
    await engine.processWhen(operation, (state) => stageOf(state, 'hand over').status === 'waiting');
    const stranger = await tenure('ack', name, 'stranger');
    expect(stranger.stderr).toContain(`${operation} tells no consumer stranger; it tells: new-in-this`);
    expect(stranger.code).toBe(1);
    const acked = await tenure('ack', name, 'new-in-this');
    expect(acked.stderr).toBe('');
    expect(acked.stdout).toContain('grace@example.com confirmed that new-in-this took');
    const { recent } = await engine.stateWhen(name, ({ running }) => running === undefined);
    expect(recent.at(-1)).toMatchObject({ operation, outcome: 'succeeded' });
  });
});

describe('cancel', () => {
  test('before the point of no return takes everything back, tells why in the history, and succeeds', async () => {
    const name = await provisioned('cancelled');
    engine.around.only.set(name, {
      takes: (_, event) => (event === 'credential.published' ? 'pending' : 'acknowledged'),
    });
    const consumers: Consumer[] = [{ name: 'slow', notify: { ack: 'manual' } }];
    const operation = await rotating(name, specOf(name, { consumers }));
    await engine.processWhen(operation, (state) => stageOf(state, 'hand over').status === 'waiting');
    const { code, stdout } = await tenure('cancel', name, '--reason', 'wrong scope');
    expect(stdout).toContain(`${operation} was cancelled: everything is as before`);
    expect(code).toBe(0);
    const { current, recent } = await engine.stateWhen(name, ({ running }) => running === undefined);
    expect(recent.at(-1)).toMatchObject({ operation, outcome: 'undone' });
    expect(current?.version).toBe(`nhi/${name}/provision/1`);
    const told = await eventually(
      () => tenure('history', operation),
      (seen) => seen.stdout.includes('was cancelled'),
    );
    expect(told.stdout).toContain('it was asked to cancel: wrong scope (asked by grace@example.com)');
  });

  test('past the point of no return sends nothing, and says that it goes on', async () => {
    const name = await provisioned('too-late');
    engine.around.target.faults.set('refuse', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'the proof was turned down'),
    });
    await tenure('rotate', name);
    const { code, stderr } = await tenure('cancel', name, '--reason', 'wrong scope');
    expect(stderr).toContain('is past its point of no return');
    expect(stderr).toContain(`tenure resume ${name}`);
    expect(code).toBe(1);
    expect((await tenure('resume', name)).stdout).toContain('rotate succeeded');
    expect((await tenure('history', name)).stdout).not.toContain('asked to cancel');
  });

  test('of what runs no process, or no longer, is NotFound', async () => {
    const name = await provisioned('nothing-runs');
    expect((await tenure('cancel', name, '--reason', 'none')).stderr).toContain('runs no process now');
    const ended = await tenure('cancel', `nhi/${name}/provision/1`, '--reason', 'none');
    expect(ended.stderr).toContain(`nhi/${name}/provision/1 does not run any more`);
    expect(ended.code).toBe(1);
  });
});

describe('parked processes', () => {
  test('list --parked says what is needed, resume goes on, and the process ends well', async () => {
    const name = await provisioned('parked');
    engine.around.target.faults.set('refuse', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'the proof was turned down'),
    });
    const parked = await tenure('rotate', name);
    expect(parked.code).toBe(1);
    expect(parked.stderr).toContain('needs a person: the proof was turned down');
    const listed = await eventually(
      () => tenure('list', '--parked'),
      (seen) => seen.stdout.includes(name),
    );
    expect(listed.stdout).toContain(`tenure resume ${name}`);
    const resumed = await tenure('resume', name, '--note', 'looked at it');
    expect(resumed.stdout).toContain('rotate succeeded');
    expect(resumed.code).toBe(0);
  });

  test('abandon gives up and lists what is left', async () => {
    const name = await provisioned('abandoned');
    engine.around.target.faults.set('refuse', {
      when: 'before',
      times: 9,
      error: new TenureError('RejectedUnchanged', 'the proof was turned down'),
    });
    await tenure('rotate', name);
    const { code, stderr } = await tenure('abandon', name, '--reason', 'gone for good');
    expect(code).toBe(1);
    expect(stderr).toContain('failed and left something');
    expect(stderr).toContain('left: ');
  });

  test('resume of what is not parked is refused', async () => {
    const name = await provisioned('not-parked');
    const { code, stderr } = await tenure('resume', name);
    expect(code).toBe(1);
    expect(stderr).toContain('runs no process now');
  });
});

describe('approve', () => {
  test('of an elevation follows it until the rights are there, and what then ends it is giving back', async () => {
    const name = await provisioned('lent');
    engine.around.only.set(name, {
      obligations: { approvals: 1, gateMs: 60_000 },
      policyDigest: `sha256:${'0'.repeat(64)}`,
    });
    const elevation = { scope: { grants: ['delete'] }, forMs: 60_000, incident: 'INC-1' };
    await engine.ask({ kind: 'elevate', reason: 'by hand', elevation }, name);
    const operation = (await engine.stateWhen(name, ({ running }) => running !== undefined)).running!.operation;
    await engine.processWhen(operation, ({ gate }) => gate?.outcome === 'open');
    const approved = await tenure('approve', name, '--yes');
    expect(approved.stderr).toBe('');
    expect(approved.stdout).toContain(`${name} has the lent rights until`);
    expect(approved.code).toBe(0);
    const late = await tenure('deny', operation, '--yes');
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining(`next: tenure give-back ${name}`) });
    expect((await tenure('give-back', name)).stdout).toContain(`${name}: elevate succeeded`);
  });
});
