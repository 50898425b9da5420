import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realPlace, whyNotAllowed, type ConsumerLimits } from '../../src/consumers/limits.js';
import type { Notify } from '../../src/domain/identity.js';

const none: ConsumerLimits = { programs: [], folders: [], hosts: [] };
const some: ConsumerLimits = {
  programs: ['/usr/bin/reload'],
  folders: ['/run/app'],
  hosts: ['a.example', 'b.example:8443'],
};
const file = (path: string): Notify => ({ file: { path, format: 'json' } });

describe('what a worker does for consumers', () => {
  test.each<[string, Notify, ConsumerLimits, RegExp | undefined]>([
    [
      'no program that nobody named',
      { command: ['/usr/bin/reload'] },
      none,
      /may not run \/usr\/bin\/reload: .*consumers\.programs/,
    ],
    ['one that is named', { command: ['/usr/bin/reload', 'x'] }, some, undefined],
    ['no other one', { command: ['/usr/bin/reload2'] }, some, /may not run/],
    ['none on the way there', { command: ['/usr/bin/../bin/reload'] }, some, /may not run/],
    ['none by its name alone', { command: ['reload'] }, { ...some, programs: ['reload'] }, /absolute path/],
    ['no empty one', { command: [] }, some, /absolute path/],
    ['no file where nobody said', file('/run/app/db.env'), none, /may not write in \/run\/app: .*consumers\.folders/],
    ['one in a folder that is named', file('/run/app/db.env'), some, undefined],
    ['one below it', file('/run/app/sub/db.env'), some, undefined],
    ['none in one that is only called alike', file('/run/app2/db.env'), some, /may not write/],
    ['none above it', file('/run/app'), some, /may not write in \/run:/],
    ['none that leads out of it', file('/run/app/../../etc/cron.d/x'), some, /may not write in \/etc\/cron.d/],
    ['no file beside the worker', file('run/app/x'), some, /absolute path/],
    ['any address where none is named', { webhook: 'https://c.example/x' }, none, undefined],
    ['a host that is named', { webhook: 'https://a.example/x' }, some, undefined],
    ['one with its port', { webhook: 'https://b.example:8443/x' }, some, undefined],
    [
      'none at another port',
      { webhook: 'https://a.example:22/x' },
      some,
      /may not call a.example:22: .*consumers\.hosts/,
    ],
    ['no other host', { webhook: 'http://169.254.169.254/latest' }, some, /may not call 169.254.169.254/],
    ['what a person acknowledges', { ack: 'manual' }, none, undefined],
  ])('is %s', (_, notify, limits, expected) => {
    const problem = whyNotAllowed({ notify }, limits);
    if (expected === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(expected);
  });
});

describe('where a file really is', () => {
  let root: string;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'tenure-limits-')));
    await mkdir(join(root, 'allowed', 'sub'), { recursive: true });
    await mkdir(join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), join(root, 'allowed', 'out'));
    await symlink(join(root, 'allowed'), join(root, 'also'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  test('is looked at, so that a link leads nowhere', async () => {
    const folders = [join(root, 'allowed')];
    expect(await realPlace(join(root, 'allowed', 'sub', 'x'), folders)).toEqual({
      path: join(root, 'allowed', 'sub', 'x'),
    });
    expect(await realPlace(join(root, 'also', 'x'), folders)).toEqual({ path: join(root, 'allowed', 'x') });
    expect(await realPlace(join(root, 'allowed', 'out', 'x'), folders)).toEqual({
      problem: expect.stringContaining(`may not write in ${join(root, 'elsewhere')}`),
    });
  });

  test('is also asked of what the operator named', async () => {
    expect(await realPlace(join(root, 'allowed', 'x'), [join(root, 'also')])).toEqual({
      path: join(root, 'allowed', 'x'),
    });
    expect(await realPlace(join(root, 'allowed', 'x'), [join(root, 'gone')])).toHaveProperty('problem');
  });
});
