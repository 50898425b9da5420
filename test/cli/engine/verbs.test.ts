/** The verbs against a real Temporal server and the real workflows; only the target is a fake. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/program.js';
import type { IdentityState } from '../../../src/domain/identity.js';
import { TenureError } from '../../../src/domain/errors.js';
import { Engine, eventually, specOf } from '../../support/engine.js';
import { commandLineAt, type Ran } from '../support/command-line.js';
import { pretend } from '../support/terminal.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => {
  await engine?.stop();
});
beforeEach(() => {
  engine.around.obligations = { approvals: 0, gateMs: 60_000 };
  engine.around.target.faults.clear();
  engine.around.target.drift = [];
});

const { tenure, tenureJson, env } = commandLineAt(() => engine.server.address);

async function provisioned(name: string): Promise<string> {
  await engine.do({ kind: 'provision', spec: specOf(name) }, name);
  return name;
}

describe('rotate', () => {
  test('tells every stage in a pipe, the proofs, and the new credential', async () => {
    const name = await provisioned('rotate-told');
    const { code, stdout } = await tenure('rotate', name, '--reason', 'a test');
    expect(code).toBe(0);
    for (const stage of ['plan', 'install', 'verify', 'publish', 'retire', 'refuse', 'purge', 'seal']) {
      expect(stdout).toMatch(new RegExp(`^${stage}: (done|skipped)`, 'm'));
    }
    expect(stdout).toContain(`${name}: rotate succeeded`);
    expect(stdout).toContain('refused: ');
    expect(stdout).toContain(`current: ${name}_b`);
  });

  test('gives one document with --json', async () => {
    const name = await provisioned('rotate-json');
    const document = await tenureJson<object>('rotate', name);
    expect(document).toMatchObject({
      v: 1,
      identity: name,
      end: 'ended',
      result: { outcome: 'succeeded', kind: 'rotate' },
    });
  });

  test('is done once for one request id', async () => {
    const name = await provisioned('rotate-once');
    const first = await tenureJson<{ operation: string }>('rotate', name, '--request-id', 'same');
    const second = await tenureJson<{ operation: string }>('rotate', name, '--request-id', 'same');
    expect(second.operation).toBe(first.operation);
    expect((await engine.state(name)).recent.filter(({ kind }) => kind === 'rotate')).toHaveLength(1);
  });

  test('that was undone exits with 1, says what went wrong and what to do', async () => {
    const name = await provisioned('rotate-undone');
    engine.around.target.faults.set('install', {
      when: 'before',
      times: 99,
      error: new TenureError('RejectedUnchanged', `${name} was turned down`),
    });
    const { code, stderr } = await tenure('rotate', name);
    expect(code).toBe(1);
    expect(stderr).toContain('everything is as before');
    expect(stderr).toContain('RejectedUnchanged');
    expect(stderr).toContain(`next: tenure history ${name}`);
  });

  test('of an unknown identity is NotFound, and starts nothing', async () => {
    const { code, stderr } = await tenure('rotate', 'nobody');
    expect(code).toBe(1);
    expect(stderr).toContain('no identity is named nobody');
    await expect(engine.state('nobody')).rejects.toThrow();
  });

  test('with --no-wait gives the request id and goes on by itself', async () => {
    const name = await provisioned('rotate-left');
    const { code, stdout } = await tenure('rotate', name, '--no-wait', '--request-id', 'left');
    expect(code).toBe(0);
    expect(stdout).toContain('request id: left');
    await engine.stateWhen(name, ({ recent }) => recent.some(({ requestId }) => requestId === 'left'));
  });

  test('that the person no longer follows goes on by itself', async () => {
    const name = await provisioned('rotate-interrupted');
    engine.around.obligations = { approvals: 1, gateMs: 60_000 };
    const pretended = pretend({ env: env() });
    const running = run(['rotate', name], pretended.io);
    await eventually(
      async () => pretended.stdout(),
      (text) => text.includes('tenure approve'),
    );
    pretended.interrupt();
    expect(await running).toBe(130);
    expect(pretended.stderr()).toContain(`tenure show ${name}`);
    expect((await engine.state(name)).running?.kind).toBe('rotate');
  });
});

describe('approve and deny', () => {
  async function atGate(name: string): Promise<string> {
    await provisioned(name);
    engine.around.obligations = { approvals: 1, gateMs: 60_000 };
    const { answer } = await tenureJson<{ answer: { operation: string } }>(
      'rotate',
      name,
      '--no-wait',
      '--ticket',
      'CHG-7',
    );
    await engine.processWhen(answer.operation, ({ gate }) => gate?.outcome === 'open');
    return answer.operation;
  }

  test('approve shows the plan in words and its digest, decides on that digest, and follows to the end', async () => {
    await atGate('gate-approved');
    const { code, stdout } = await tenure('approve', 'gate-approved', '--yes');
    expect(stdout).toContain('rotate gate-approved (test, internal data), owned by ada@example.com');
    expect(stdout).toContain('it belongs to CHG-7');
    expect(stdout).toMatch(/Plan digest: sha256:[0-9a-f]{64}\n/);
    expect(stdout).toMatch(/grace@example\.com approved sha256:[0-9a-f]{64}\n/);
    expect(stdout).toContain('rotate succeeded');
    expect(code).toBe(0);
  });

  test('a digest that is not that of the plan is refused, and nothing is decided', async () => {
    const operation = await atGate('gate-other-plan');
    const { code, stderr } = await tenure('approve', 'gate-other-plan', '--digest', 'sha256:other', '--yes');
    expect(code).toBe(1);
    expect(stderr).toMatch(/is sha256:[0-9a-f]{64}, not sha256:other/);
    expect((await engine.processWhen(operation, () => true)).gate?.votes).toEqual([]);
  });

  test('deny ends the process with nothing touched', async () => {
    const operation = await atGate('gate-denied');
    expect((await tenure('deny', operation, '--reason', 'not today', '--yes')).code).toBe(0);
    const { recent } = await engine.stateWhen('gate-denied', ({ running }) => running === undefined);
    expect(recent.at(-1)).toMatchObject({ outcome: 'undone', code: 'ApprovalRefused' });
    expect(recent.at(-1)?.message).toContain('not today');
  });

  test('withdraw counts while a freeze holds what was approved, and comes too late once it has begun', async () => {
    const operation = await atGate('gate-held');
    const until = new Date(Date.now() + 3_600_000).toISOString();
    engine.around.only.set('gate-held', { clearance: () => ({ clear: false, until, reason: 'year end' }) });
    const error = new TenureError('RejectedUnchanged', 'no');
    engine.around.target.faults.set('retire gate-held', { when: 'before', times: 1, error });
    await tenure('approve', 'gate-held', '--yes', '--no-wait');
    await engine.processWhen(operation, ({ gate }) => gate?.outcome === 'approved');
    expect((await tenure('withdraw', 'gate-held', '--yes')).code).toBe(0);
    await engine.processWhen(operation, ({ gate }) => gate?.outcome === 'open' && gate.votes.length === 0);
    engine.around.only.delete('gate-held');
    await tenure('approve', 'gate-held', '--yes', '--no-wait');
    await engine.processWhen(operation, ({ parked }) => parked !== undefined);
    const late = await tenure('withdraw', 'gate-held', '--yes');
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('past its gate and has begun')]);
    expect(late.stderr).toContain('tenure cancel gate-held');
    await engine.answerPark(operation, { how: 'again' });
    await engine.stateWhen('gate-held', ({ running }) => running === undefined);
  });

  test('list --gates names the command that decides', async () => {
    await atGate('gate-listed');
    const { stdout } = await eventually(
      () => tenure('list', '--gates'),
      (seen) => seen.stdout.includes('gate-listed'),
    );
    expect(stdout).toContain('tenure approve gate-listed');
  });
});

describe('revoke --now', () => {
  test('pre-empts what runs, proves the refusal and tells the time it took', async () => {
    const name = await provisioned('revoke-now');
    engine.around.obligations = { approvals: 1, gateMs: 60_000 };
    const { answer } = await tenureJson<{ answer: { operation: string } }>('rotate', name, '--no-wait');
    await engine.processWhen(answer.operation, ({ gate }) => gate?.outcome === 'open');
    engine.around.obligations = { approvals: 0, gateMs: 60_000 };
    const { code, stdout } = await tenure('revoke', name, '--now', '--reason', 'leaked');
    expect(code).toBe(0);
    expect(stdout).toMatch(/from the request to the proven refusal, measured here/);
    // The refusal is proven, and told, a moment before the identity has it on record.
    const { recent } = await engine.stateWhen(name, ({ status }) => status === 'revoked');
    expect(recent.find(({ kind }) => kind === 'rotate')?.outcome).toBe('pre-empted');
    expect(engine.around.target.logins.has(`${name}_a`)).toBe(false);
  });

  test('is recorded while no worker runs, says so, and is done when one does', async () => {
    const name = await provisioned('revoke-nobody');
    await engine.stopWorker();
    let ran: Ran;
    try {
      ran = await tenure('revoke', name, '--now', '--timeout', '2s');
    } finally {
      await engine.startWorker();
    }
    expect(ran.stdout).toContain('is recorded');
    expect(ran.code).toBe(1);
    await engine.stateWhen(name, ({ status }) => status === 'revoked');
  });

  test('of an unknown identity is NotFound, and starts nothing', async () => {
    const { code, stderr } = await tenure('revoke', 'nobody', '--now');
    expect(code).toBe(1);
    expect(stderr).toContain('no identity is named nobody');
    await expect(engine.state('nobody')).rejects.toThrow();
  });

  test('of a life that has ended is refused at once, and begins none', async () => {
    const name = await provisioned('revoke-left');
    await tenure('offboard', name, '--yes');
    // The life ends a moment after its last process.
    await engine.process(`nhi/${name}`).result();
    const { code, stdout, stderr } = await tenure('revoke', name, '--now', '--timeout', '5s');
    expect(stdout).toBe('');
    expect(stderr).toContain(`the life of ${name} has ended (completed)`);
    expect(code).toBe(1);
    const { status } = await engine.process(`nhi/${name}`).describe();
    expect(status.name).toBe('COMPLETED');
  });

  test('of what was never provisioned tells the refusal, and does not wait for ever', async () => {
    const name = 'revoke-absent';
    engine.around.only.set(name, { deny: 'not today' });
    await engine.do({ kind: 'provision', spec: specOf(name) }, name);
    const { code, stderr } = await tenure('revoke', name, '--now', '--timeout', '10s');
    expect(stderr).toContain(`${name} was never provisioned; there is nothing to revoke`);
    expect(code).toBe(1);
  });
});

describe('validate', () => {
  test('exits with 1 when something drifted, and tells what', async () => {
    const name = await provisioned('drifted');
    engine.around.target.drift = [{ what: 'right', problem: 'excess', detail: `${name} may delete from ledger` }];
    const { code, stdout } = await tenure('validate', name);
    expect(stdout).toContain('may delete from ledger');
    expect(code).toBe(1);
  });
});

describe('list, show and history', () => {
  test('list filters by what visibility knows, and gives names alone when asked', async () => {
    await provisioned('listed-a');
    const { stdout } = await eventually(
      () => tenure('list', '--status', 'active', '--owner', 'ada@example.com'),
      (seen) => seen.stdout.includes('listed-a'),
    );
    expect(stdout).toMatch(/listed-a +database-role +active +db +ada@example.com/);
    expect((await tenure('list', '--owner', "o'hara@example.com")).code).toBe(0);
    expect((await tenure('list', '--status', 'offboarded')).stdout).not.toContain('listed-a');
    expect((await tenure('list', '--names')).stdout.split('\n')).toContain('listed-a');
    expect(
      (await tenureJson<{ identities: { name: string }[] }>('list', '--tag', 'policy:monthly')).identities.map(
        ({ name }) => name,
      ),
    ).toContain('listed-a');
  });

  test('list --overdue gives whose next rotation should have been by now', async () => {
    engine.around.only.set('listed-late', { nextRotation: () => Promise.resolve('2020-01-01T00:00:00.000Z') });
    await provisioned('listed-late');
    await provisioned('listed-in-time');
    await engine.stateWhen('listed-late', ({ nextRotationAt }) => nextRotationAt !== undefined);
    const { stdout } = await eventually(
      () => tenure('list', '--overdue', '--kind', 'database-role'),
      (seen) => seen.stdout.includes('listed-late'),
    );
    expect(stdout).not.toContain('listed-in-time');
    await tenure('revoke', 'listed-late', '--yes');
    await eventually(
      () => tenure('list', '--overdue', '--names'),
      (seen) => !seen.stdout.includes('listed-late'),
    );
  });

  test('show tells the votes of an open gate', async () => {
    const name = await provisioned('shown-votes');
    engine.around.only.set(name, { obligations: { approvals: 2, gateMs: 60_000 } });
    const { answer } = await tenureJson<{ answer: { operation: string } }>('rotate', name, '--no-wait');
    await engine.processWhen(answer.operation, ({ gate }) => gate?.outcome === 'open');
    await tenure('approve', name, '--yes', '--no-wait', '--reason', 'looked at it');
    await engine.processWhen(answer.operation, ({ gate }) => gate?.votes.length === 1);
    const { stdout } = await tenure('show', name);
    expect(stdout).toMatch(/approved by grace@example\.com at .+: looked at it\n.*waiting for approval 2 of 2/);
    await tenure('cancel', name, '--reason', 'seen enough');
  });

  test('show names the last evidence record and what tells it', async () => {
    const name = await provisioned('shown-evidence');
    expect((await tenure('show', name)).stdout).toMatch(
      new RegExp(`evidence: sha256:[0-9a-f]{64}, told by: tenure explain nhi/${name}/provision/1\n`),
    );
  });

  test('show tells state, credential, processes and proofs', async () => {
    const name = await provisioned('shown');
    const { code, stdout } = await tenure('show', name);
    expect(code).toBe(0);
    expect(stdout).toContain(`${name}_a at db, version nhi/${name}/provision/1`);
    expect(stdout).toContain('succeeded');
    expect(stdout).toContain('accepted: ');
    const document = await tenureJson<{ live: boolean; state: IdentityState }>('show', name);
    expect(document.live).toBe(true);
    expect(document.state.status).toBe('active');
  });

  test('show works without a worker, from what the last process left, and says so', async () => {
    const name = await provisioned('shown-later');
    await eventually(
      () => tenure('list', '--names', '--status', 'active'),
      (seen) => seen.stdout.includes(name),
    );
    await engine.stopWorker();
    try {
      const { code, stdout, stderr } = await tenure('show', name);
      expect(code).toBe(0);
      expect(stderr).toContain('tenure worker');
      expect(stdout).toContain(`${name}_a at db`);
      expect(stdout).toContain('active');
    } finally {
      await engine.startWorker();
    }
  });

  test('history tells who asked, each step and the end in plain words, in order, and no payload', async () => {
    const name = await provisioned('told');
    await tenure('rotate', name, '--reason', 'a test');
    const { code, stdout } = await eventually(
      () => tenure('history', name),
      (seen) => seen.stdout.includes('rotate succeeded'),
    );
    expect(code).toBe(0);
    const order = [
      'ada@example.com asked to provision',
      'provision began',
      'provision succeeded',
      'grace@example.com asked to rotate: a test',
      'rotate began',
      'rotate succeeded',
    ];
    const places = order.map((sentence) => stdout.indexOf(sentence));
    expect(
      places.every((place) => place >= 0),
      stdout,
    ).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(stdout).not.toContain('{"');
    expect(stdout).not.toContain('made-');
    const only = await tenure('history', `nhi/${name}/rotate/2`);
    expect(only.stdout).toContain('rotate began');
    expect(only.stdout).not.toContain('provision began');
  });
});

describe('offboard', () => {
  test('tells that nothing answers any more, and afterwards that the life has ended', async () => {
    const name = await provisioned('leaver');
    const { code, stdout } = await tenure('offboard', name, '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('gone: ');
    const { stderr } = await tenure('rotate', name);
    expect(stderr).toContain(`the life of ${name} has ended`);
  });
});

test('without a worker a change is refused before anything is sent', async () => {
  const name = await provisioned('nobody-works');
  await engine.stopWorker();
  try {
    const { code, stderr } = await tenure('rotate', name, '--timeout', '5s');
    expect(code).toBe(1);
    expect(stderr).toContain('tenure worker');
  } finally {
    await engine.startWorker();
  }
});
