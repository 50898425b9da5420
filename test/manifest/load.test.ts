import { whatIsMalformed } from '../../src/domain/well-formed.js';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadManifests } from '../../src/manifest/load.js';
import { formatProblem } from '../../src/manifest/problem.js';
import { schedulePolicies } from '../../src/manifest/rotation.js';
import { context, manifest, problems, read } from './manifests.js';

const hour = 3_600_000;

describe('what the operator allows consumers', () => {
  const limits = { programs: ['/bin/reload'], folders: ['/run/app'], hosts: ['a.example'] };
  const limited = (notify: string) =>
    problems(manifest({ consumers: `[{ name: a, notify: ${notify} }]` }), {
      ...context,
      config: { ...context.config!, consumers: limits },
    });

  it.each([
    ['{ command: [/bin/reload, x] }', []],
    [
      '{ command: [/bin/sh, -c, x] }',
      [/consumers\[0\]\.notify: the worker may not run \/bin\/sh\. An operator allows it with consumers\.programs/],
    ],
    ['{ command: [reload] }', [/absolute path/]],
    ['{ file: { path: /run/app/x, format: json } }', []],
    [
      '{ file: { path: /run/app/../x, format: json } }',
      [/may not write in \/run\. An operator allows it with consumers\.folders/],
    ],
    ['{ webhook: "https://a.example/x" }', []],
    ['{ webhook: "https://b.example/x" }', [/may not call b\.example\. An operator allows it with consumers\.hosts/]],
    ['{ ack: manual }', []],
  ])('is asked of %s', (notify, expected) => {
    expect(limited(notify)).toEqual(expected.map((one) => expect.stringMatching(one)));
  });
});

describe('a manifest', () => {
  it('becomes the declared identity with every default filled in', () => {
    expect(problems(manifest())).toEqual([]);
    const { identities, sources } = read(manifest());
    expect(identities).toEqual([
      {
        name: 'payments-db',
        kind: 'database-role',
        owner: { person: 'ada@example.com' },
        purpose: 'the payments API writes the ledger',
        environment: 'production',
        dataClass: 'internal',
        target: { name: 'ledger-db', scope: { grants: [{ on: 'ledger', may: ['select'] }] } },
        deliver: [{ store: 'local', path: 'payments/db' }],
        consumers: [],
        rotation: {
          name: expect.stringMatching(/^every-30d-[0-9a-f]{8}$/),
          strategy: 'alternate',
          everyMs: 720 * hour,
          graceMs: hour,
          whenInUse: 'ask',
          jitterMs: 0,
          freeze: [],
          whenNoWindow: 'skip',
          whenNotTaken: 'unwind',
        },
        tags: {},
      },
    ]);
    expect(sources.get('payments-db')).toMatchObject({ file: 'm.yaml', line: 2 });
  });

  it('is plain JSON, so that it can be carried by a workflow', () => {
    const text = manifest({
      consumers:
        '[{ name: a, notify: { file: { path: /run/out, format: json, mode: "0640" } }, timeout: 10m }, { name: b, notify: { command: [kill, -HUP] }, after: [a] }]',
      tags: '{ vendor: acme }',
      rotation:
        "{ cron: '0 3 1 * * Europe/Berlin', freeze: [{ from: 2026-12-24T00:00:00+01:00, to: 2027-01-02T00:00:00+01:00, reason: year end }] }",
    });
    expect(problems(text)).toEqual([]);
    const [spec] = read(text).identities;
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(spec!.consumers[0]).toEqual({
      name: 'a',
      notify: { file: { path: '/run/out', format: 'json', mode: '0640' } },
      timeoutMs: 600_000,
    });
    expect(spec!.rotation).toMatchObject({
      cron: { expression: '0 3 1 * *', timezone: 'Europe/Berlin' },
      freeze: [{ from: '2026-12-23T23:00:00.000Z', to: '2027-01-01T23:00:00.000Z', reason: 'year end' }],
    });
  });

  it('takes words that older YAML takes for booleans as words', () => {
    const { identities } = read(manifest({ purpose: 'no', environment: 'on', tags: '{ country: no }' }));
    expect(identities[0]).toMatchObject({ purpose: 'no', environment: 'on', tags: { country: 'no' } });
  });

  it('may hold several documents, and repeat values by alias', () => {
    const [first, second] = [
      manifest({ owner: '&ada { person: ada@example.com }' }),
      manifest({ name: 'other', deliver: '[{ store: local, path: o }]' }),
    ];
    expect(read(`${first}---\n${second}`).identities.map(({ name }) => name)).toEqual(['payments-db', 'other']);
    const aliased = `${first}${manifest({ name: 'other', owner: '*ada', deliver: '[{ store: local, path: o }]' }).replace('identities:\n', '')}`;
    expect(problems(aliased)).toEqual([]);
    expect(read(aliased).identities[1]!.owner).toEqual({ person: 'ada@example.com' });
  });
});

describe('rotation policies', () => {
  const policies = 'policies:\n  monthly: { every: 30d, grace: 2h }\n';

  it('are shared by name', () => {
    const [spec] = read(policies + manifest({ rotation: 'monthly' })).identities;
    expect(spec!.rotation).toMatchObject({
      name: 'monthly',
      everyMs: 720 * hour,
      graceMs: 2 * hour,
      strategy: 'alternate',
    });
  });

  it('take the strategy that the target supports first, unless one is written', () => {
    const target = '{ name: cache, scope: {} }';
    expect(read(policies + manifest({ rotation: 'monthly', target })).identities[0]!.rotation.strategy).toBe('overlap');
    expect(read(manifest({ rotation: '{ every: 1d, strategy: in-place }' })).identities[0]!.rotation.strategy).toBe(
      'in-place',
    );
  });

  it('written with equal content share a derived name, whatever the order of the fields', () => {
    const name = (rotation: string) => read(manifest({ rotation })).identities[0]!.rotation.name;
    expect(name('{ every: 30d, grace: 2h }')).toBe(name('{ grace: 120m, every: 720h }'));
    expect(name('{ every: 30d, grace: 2h }')).not.toBe(name('{ every: 30d, grace: 3h }'));
    expect(name("{ cron: '0 3 1 * * UTC' }")).toMatch(/^cron-[0-9a-f]{8}$/);
  });

  it('may leave the rotation to people', () => {
    expect(read(manifest({ rotation: 'manual' })).identities[0]!.rotation).toMatchObject({
      name: 'manual',
      graceMs: hour,
    });
    expect(read(manifest({ rotation: '{ manual: true, grace: 5m }' })).identities[0]!.rotation.name).toMatch(
      /^manual-/,
    );
  });

  it('give a grace that fits a short interval when none is written', () => {
    expect(read(manifest({ rotation: '{ every: 1h }' })).identities[0]!.rotation.graceMs).toBe(hour / 4);
  });

  it('are one for each name, for the Schedules', () => {
    const text =
      policies +
      manifest({ rotation: 'monthly' }) +
      manifest({
        name: 'cache',
        rotation: 'monthly',
        target: '{ name: cache, scope: {} }',
        deliver: '[{ store: local, path: c }]',
      }).replace('identities:\n', '');
    const { identities } = read(text);
    expect(schedulePolicies(identities).map(({ name, strategy }) => [name, strategy])).toEqual([
      ['monthly', 'overlap'],
    ]);
    expect(schedulePolicies([...identities].reverse())).toEqual(schedulePolicies(identities));
  });
});

// Each row: what is wrong, and the whole message, with file, line, column, field, what was expected, and what to do.
describe('a problem names file, line, field, what was expected and what to do', () => {
  const rows: readonly [title: string, text: string, ...messages: string[]][] = [
    [
      'an unknown field',
      manifest({ colour: 'red' }),
      "m.yaml:10:5 identities[0].colour: 'colour' is not a field here. Known: name, kind, owner, purpose, environment, dataClass, target, deliver, consumers, rotation, tags.",
    ],
    [
      'a field that is nearly known',
      manifest({ enviroment: 'x', environment: undefined! }),
      "m.yaml:2:5 identities[0].environment: 'environment' is missing. Add it: text.",
      "m.yaml:9:5 identities[0].enviroment: 'enviroment' is not a field here. Did you mean 'environment'?",
    ],
    [
      'an unknown field further in',
      manifest({ target: '{ nam: ledger-db, scope: {} }' }),
      "m.yaml:7:5 identities[0].target.name: 'name' is missing. Add it: text.",
      "m.yaml:7:15 identities[0].target.nam: 'nam' is not a field here. Did you mean 'name'?",
    ],
    [
      'an unknown field at the top',
      `identity: []\n${manifest()}`,
      "m.yaml:1:1 identity: 'identity' is not a field here. Did you mean 'identities'?",
    ],
    [
      'a value that is nearly known',
      manifest({ kind: 'database_role' }),
      "m.yaml:3:11 identities[0].kind: expected one of database-role, service-account, api-key, cloud-key, broker-user, certificate, workload, agent, found 'database_role'. Did you mean 'database-role'?",
    ],
    [
      'a number for text',
      manifest({ purpose: '42' }),
      'm.yaml:5:14 identities[0].purpose: expected text, found the number 42. Put it in quotes.',
    ],
    [
      'a mapping for a list',
      manifest({ deliver: '{ store: local, path: a }' }),
      'm.yaml:8:14 identities[0].deliver: expected a list, found a mapping. Write one entry for each line, each with a dash.',
    ],
    [
      'an empty list',
      manifest({ deliver: '[]' }),
      'm.yaml:8:14 identities[0].deliver: expected at least 1 entries. Change it to fit.',
    ],
    [
      'a name that is none',
      manifest({ name: 'Payments DB' }),
      "m.yaml:2:11 identities[0].name: expected a name of lower-case letters, digits, dots, dashes and underscores, starting and ending with a letter or digit, found 'Payments DB'. Rename it.",
    ],
    [
      'a duration that is none',
      manifest({ rotation: '{ every: 30 days }' }),
      "m.yaml:9:24 identities[0].rotation.every: expected a duration between 1m and 3650d, such as 30d, 12h or 1h30m, found '30 days'. Write whole numbers with d, h, m or s, the largest first.",
    ],
    [
      'a number for a duration',
      manifest({ rotation: '{ every: 30 }' }),
      'm.yaml:9:24 identities[0].rotation.every: expected text, found the number 30. Put it in quotes.',
    ],
    [
      'an unknown target',
      manifest({ target: '{ name: ledger_db, scope: {} }' }),
      "m.yaml:7:21 identities[0].target.name: there is no target 'ledger_db' in the operator's file. Did you mean 'ledger-db'?",
    ],
    [
      'an unknown store',
      manifest({ deliver: '[{ store: vault, path: a }]' }),
      "m.yaml:8:24 identities[0].deliver[0].store: there is no store 'vault' in the operator's file. Known: local.",
    ],
    [
      'a scope that the target cannot express',
      manifest({ target: '{ name: ledger-db, scope: { grants: [{ on: ledger, may: [select, drop] }] } }' }),
      'm.yaml:7:78 identities[0].target.scope.grants[0].may[1]: the target ledger-db cannot express this: no such right. See the page of the target in docs/targets for the form of a scope.',
    ],
    [
      'a strategy that the target cannot do',
      manifest({ rotation: '{ every: 30d, strategy: overlap }' }),
      "m.yaml:9:39 identities[0].rotation.strategy: the target ledger-db cannot rotate by 'overlap'. Known: alternate, in-place.",
    ],
    [
      'an impossible window',
      manifest({ rotation: '{ every: 30d, window: Sun 02:00-02:00 UTC }' }),
      'm.yaml:9:37 identities[0].rotation.window: a window that opens and closes at the same time. For the whole day write 00:00-24:00.',
    ],
    [
      'a window that is too rare',
      manifest({ rotation: '{ every: 1d, window: Sun 02:00-05:00 UTC }' }),
      'm.yaml:9:36 identities[0].rotation.window: the window opens less often than `every` asks for a rotation. Open it more often, make `every` longer, or write `whenNoWindow: break`.',
    ],
    [
      'a cron that never fires',
      manifest({ rotation: "{ cron: '0 0 30 2 * UTC' }" }),
      "m.yaml:9:23 identities[0].rotation.cron: '0 0 30 2 *' never fires. Choose a day that exists.",
    ],
    [
      'a grace that is too long',
      manifest({ rotation: '{ every: 1d, grace: 1d }' }),
      'm.yaml:9:35 identities[0].rotation.grace: the grace is not shorter than the time between two rotations. Shorten the grace, or rotate less often.',
    ],
    [
      'no schedule',
      manifest({ rotation: '{ grace: 1h }' }),
      'm.yaml:9:5 identities[0].rotation.every: neither `every` nor `cron`. Write `every`, `cron`, or `manual: true`.',
    ],
    [
      'an unknown policy',
      manifest({ rotation: 'montly' }),
      "m.yaml:9:15 identities[0].rotation: there is no rotation policy 'montly'. Known: manual.",
    ],
    [
      'a cycle between consumers',
      manifest({
        consumers:
          '[{ name: a, notify: { ack: manual }, after: [b] }, { name: b, notify: { ack: manual }, after: [a] }]',
      }),
      'm.yaml:10:60 identities[0].consumers[0].after: the consumers wait for each other: a after b after a. Remove one of these from `after`.',
    ],
    [
      'an unknown consumer',
      manifest({ consumers: '[{ name: a, notify: { ack: manual }, after: [b] }]' }),
      "m.yaml:10:61 identities[0].consumers[0].after[0]: there is no consumer 'b' here. There is none yet.",
    ],
    [
      'a way to notify that is none',
      manifest({ consumers: '[{ name: a, notify: { web: x } }]' }),
      "m.yaml:10:38 identities[0].consumers[0].notify.web: 'web' is not a field here. Known: webhook, command, file, ack.",
    ],
    [
      'two ways to notify',
      manifest({ consumers: '[{ name: a, notify: { webhook: http://x, ack: manual } }]' }),
      'm.yaml:10:36 identities[0].consumers[0].notify: expected exactly one of command, file, webhook, ack. Keep one, with all that belongs to it.',
    ],
    [
      'a webhook that is no address',
      manifest({ consumers: '[{ name: a, notify: { webhook: ftp://x } }]' }),
      "m.yaml:10:47 identities[0].consumers[0].notify.webhook: expected an http or https address. Write it as https://host/path; calls are signed with the operator's key.",
    ],
    [
      'a freeze that ends before it begins',
      manifest({
        rotation: '{ every: 1d, freeze: [{ from: 2026-12-24T00:00:00Z, to: 2026-12-23T00:00:00Z, reason: x }] }',
      }),
      'm.yaml:9:71 identities[0].rotation.freeze[0].to: the freeze ends before it begins. Put the later instant in `to`.',
    ],
    [
      'a day that does not exist',
      manifest({
        rotation: '{ every: 1d, freeze: [{ from: 2026-02-30T00:00:00Z, to: 2026-12-23T00:00:00Z, reason: x }] }',
      }),
      "m.yaml:9:45 identities[0].rotation.freeze[0].from: expected an instant with its offset, such as 2026-12-24T00:00:00+01:00, found '2026-02-30T00:00:00Z'. Write date, time and offset (or Z).",
    ],
    [
      'a store path that climbs',
      manifest({ deliver: '[{ store: local, path: a/../b }]' }),
      'm.yaml:8:37 identities[0].deliver[0].path: expected a path of names, without dots alone. Write the whole path.',
    ],
    [
      'an identity that is no mapping',
      'identities:\n  - payments-db\n',
      "m.yaml:2:5 identities[0]: expected a mapping, found 'payments-db'. Write its fields below it: name, kind, owner, purpose, environment, dataClass.",
    ],
    [
      'nothing',
      '',
      'manifests:1:1: no identity is declared. Add an `identities` list, or name the folder that has one.',
    ],
  ];

  it.each(rows)('%s', (_title, text, ...messages) => {
    expect(problems(text)).toEqual(messages);
  });

  it('lists all problems of all identities, not the first only', () => {
    const text = manifest({
      kind: 'x',
      target: '{ name: nowhere }',
      deliver: '[{ store: gone, path: a }]',
      rotation: '{ every: 1x, cron: y }',
    });
    expect(problems(text).map((problem) => problem.split(' ')[1])).toEqual([
      'identities[0].kind:',
      'identities[0].target.name:',
      'identities[0].deliver[0].store:',
      'identities[0].rotation.every:',
    ]);
  });

  it('names both places of a name and of a store path that is used twice', () => {
    const text = manifest() + manifest({ target: '{ name: cache }' }).replace('identities:\n', '');
    expect(problems(text)).toEqual([
      'm.yaml:10:11 identities[1].name: the name payments-db is declared twice, first at m.yaml:2:11. Rename or remove one of them.',
      'm.yaml:16:15 identities[1].deliver[0]: local:payments/db is delivered to twice, first at m.yaml:8:15. Give each credential a path of its own.',
    ]);
  });

  it('names both places of a policy that is declared twice in two documents', () => {
    const text = `policies:\n  weekly: { every: 7d }\n---\npolicies:\n  weekly: { every: 8d }\n${manifest({ rotation: 'weekly' })}`;
    expect(problems(text)).toEqual([
      'm.yaml:5:3 policies.weekly: the policy weekly is declared twice, first at m.yaml:2:3. Rename or remove one of them.',
    ]);
  });

  it.each([{ kind: 'x' }, { target: '{ name: nowhere }' }, { rotation: '{ every: 1d, grace: 2d }' }])(
    'does not give an identity with a problem, beside one that is right: %j',
    (lines) => {
      const good = manifest({ name: 'good', deliver: '[{ store: local, path: g }]' }).replace('identities:\n', '');
      const { identities, problems: found } = read(manifest(lines) + good);
      expect(identities.map(({ name }) => name)).toEqual(['good']);
      expect(found).toHaveLength(1);
    },
  );
});

describe('the traps of YAML', () => {
  it.each([
    [
      'a field twice',
      'identities: []\nidentities: []\n',
      'm.yaml:2:1: the same field twice in one mapping. Keep one of them.',
    ],
    ['a tab', 'identities:\n\t- name: x\n', 'm.yaml:2:1: a tab where YAML takes only spaces. Indent with spaces.'],
    [
      'a merge key',
      'identities: []\n<<: { policies: {} }\n',
      'm.yaml:2:1: a merge key (<<). Merge keys are not read: repeat the fields, or use an alias for the whole value.',
    ],
    [
      'a merge key under an older version',
      '%YAML 1.1\n---\nidentities: []\n<<: { policies: {} }\n',
      'm.yaml:4:1: a merge key (<<). Merge keys are not read: repeat the fields, or use an alias for the whole value.',
    ],
    [
      'a prototype',
      manifest({ tags: '{ __proto__: { a: b } }' }),
      "m.yaml:10:13 identities[0].tags: '__proto__' is not a field. Remove it.",
    ],
    [
      'a tag',
      'identities: !!js/function []\n',
      'm.yaml:1:13: a YAML tag (!…). Remove the tag: plain text, numbers, lists and mappings are read.',
    ],
    [
      'an alias of nothing',
      'identities: *gone\n',
      'm.yaml:1:13 identities: an alias of something that is not defined above it. Define the anchor first, or write the value out.',
    ],
    [
      'an alias of itself',
      'identities: &a [*a]\n',
      'm.yaml:1:17 identities[0][0]: an alias that contains itself. Write the value out.',
    ],
    [
      'a key that is no text',
      'identities: []\n? [a, b]\n: c\n',
      'm.yaml:2:3: a field name that is not text. Give the field a plain name.',
    ],
    [
      'an unfinished quote',
      "identities: 'x\n",
      'm.yaml:2:1: a bracket, quote or colon is missing. Close what was opened; put text with special characters in quotes.',
    ],
    [
      'a control character',
      manifest({ purpose: '"a\\x1b[2Jb"' }),
      'm.yaml:5:14 identities[0].purpose: a control character or half a character. Remove it.',
    ],
    [
      'half a character',
      manifest({ purpose: '"a\\ud800"' }),
      'm.yaml:5:14 identities[0].purpose: a control character or half a character. Remove it.',
    ],
    [
      'a number that loses digits',
      manifest({ tags: '{ account: 12345678901234567890 }' }),
      'm.yaml:10:22 identities[0].tags.account: a number that cannot be kept exactly. Put it in quotes if it is a name, or write a smaller number.',
    ],
  ])('%s is refused', (_title, text, message) => {
    expect(problems(text)).toContain(message);
    expect(read(text).identities).toEqual([]);
  });

  it('a billion laughs are refused before they are told', () => {
    const lines = ['a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]'];
    for (let level = 1; level < 12; level += 1)
      lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`);
    const before = performance.now();
    expect(problems(`${lines.join('\n')}\n`)).toContainEqual(expect.stringContaining('aliases repeat too much'));
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it.each([
    ['brackets', '['.repeat(200_000)],
    ['dashes', '- '.repeat(50_000)],
    ['question marks', '? '.repeat(50_000)],
    ['a legal file', `identities: ${'['.repeat(100)}${']'.repeat(100)}`],
  ])('depth is refused without a crash: %s', (_title, text) => {
    expect(problems(text)).toEqual([expect.stringContaining('nested deeper than 64 levels')]);
  });
});

describe('secrets', () => {
  it.each([
    ['a password', manifest({ tags: '{ password: hunter2hunter2 }' }), 'hunter2'],
    ['key material', manifest({ purpose: '"-----BEGIN PRIVATE KEY-----MIIE"' }), 'MIIE'],
    ['an address with a password', manifest({ purpose: 'reads postgres://u:swordfish@db/x' }), 'swordfish'],
    ['a token in a scope', manifest({ target: '{ name: ledger-db, scope: { token: abcdefghij } }' }), 'abcdefghij'],
    ['an unknown field of the identity', manifest({ secret: 'correct-horse' }), 'correct-horse'],
  ])('in a manifest are refused without being repeated: %s', (_title, text, secret) => {
    const found = problems(text).join('\n');
    expect(found).toContain('this looks like a secret, and this file is no place for one');
    expect(found).not.toContain(secret);
  });

  it('are not suspected in a template or where a place is only named', () => {
    const template = 'postgres://{{username}}:{{password}}@{{host}}/x';
    expect(
      problems(
        manifest({
          consumers: `[{ name: a, notify: { file: { path: /run/out, format: template, template: '${template}' } } }]`,
        }),
      ),
    ).toEqual([]);
    expect(problems(manifest({ purpose: 'rotates the password of http://host:80/x' }))).toEqual([]);
  });

  it('are not repeated when they stand in the wrong field and are long', () => {
    const long = 'A'.repeat(41);
    expect(problems(manifest({ kind: long })).join()).toContain('found a text of 41 characters');
    expect(problems(manifest({ [long.toLowerCase()]: 'x' })).join()).toContain(
      'a text of 41 characters is not a field here',
    );
    expect(problems(manifest({ kind: long })).join()).not.toContain(long);
  });
});

describe('files and folders', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'tenure-manifests-'))));
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  it('are read with everything below them, each once, but not what is hidden and not the operator file', async () => {
    await mkdir(join(folder, 'teams', '.git'), { recursive: true });
    await mkdir(join(folder, 'node_modules'));
    const one = (name: string) => manifest({ name, deliver: `[{ store: local, path: ${name} }]` });
    await writeFile(join(folder, 'a.yaml'), one('a'));
    await writeFile(join(folder, 'teams', 'b.yml'), one('b'));
    await writeFile(join(folder, 'teams', 'notes.txt'), 'not: [yaml');
    for (const hidden of ['teams/.git/c.yaml', 'node_modules/d.yaml', 'tenure.yaml'])
      await writeFile(join(folder, hidden), 'broken: [');
    await symlink(folder, join(folder, 'teams', 'loop'));
    const { identities, problems: found, sources } = await loadManifests([folder, join(folder, 'a.yaml')], context);
    expect(found).toEqual([]);
    expect(identities.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(sources.get('b')).toMatchObject({ file: join(folder, 'teams', 'b.yml'), line: 2 });
  });

  it('share their policies', async () => {
    await writeFile(join(folder, 'policies.yaml'), 'policies: { monthly: { every: 30d } }\n');
    await writeFile(join(folder, 'a.yaml'), manifest({ rotation: 'monthly' }));
    expect((await loadManifests([folder], context)).identities[0]!.rotation.name).toBe('monthly');
  });

  it.each([
    ['not UTF-8', Buffer.from([0x61, 0x3a, 0xff, 0xfe]), 'not UTF-8 text. Save the file as UTF-8.'],
    ['UTF-16', Buffer.from(`\ufeff${manifest()}`, 'utf16le'), 'not UTF-8 text. Save the file as UTF-8.'],
    ['too large', Buffer.alloc(4 * 1024 * 1024 + 1, '#'), 'larger than 4194304 bytes. Split it into several files.'],
  ])('that are %s are refused', async (_title, bytes, message) => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, bytes);
    expect((await loadManifests([file], context)).problems.map(formatProblem)).toEqual([`${file}:1:1: ${message}`]);
  });

  it('that are not there are a problem, not a crash', async () => {
    const file = join(folder, 'gone.yaml');
    expect((await loadManifests([file], context)).problems.map(formatProblem)).toEqual([
      `${file}:1:1: there is no such file or folder. Check the path and its permissions.`,
    ]);
    expect((await loadManifests(['/dev/zero'], context)).problems.map(formatProblem)).toEqual([
      '/dev/zero:1:1: not a regular file. Check the path and its permissions.',
    ]);
  });

  it('with a byte order mark are read', async () => {
    await writeFile(join(folder, 'a.yaml'), `\ufeff${manifest()}`);
    expect((await loadManifests([folder], context)).problems).toEqual([]);
  });
});

describe('what Temporal can hold', () => {
  const tags = (count: number, length: number) =>
    `{ ${Array.from({ length: count }, (_, n) => `tag-${n}: ${'x'.repeat(length)}`).join(', ')} }`;

  it.each([
    ['more tags than one attribute holds', tags(21, 1)],
    ['tags that are longer than one attribute holds', tags(13, 100)],
    ['tags that are longer in bytes', tags(7, 0).replaceAll(': ', `: ${'é'.repeat(100)}`)],
  ])('is not %s', (_title, written) => {
    expect(problems(manifest({ tags: written }))).toEqual([
      expect.stringMatching(/tags: expected at most 20 tags, with 1200 bytes in all.*Shorten them, or remove some/),
    ]);
  });

  it('is as many tags as fit', () => {
    expect(problems(manifest({ tags: tags(20, 40) }))).toEqual([]);
  });

  it('is not an identity of any size', () => {
    const grants = Array.from({ length: 700 }, (_, n) => `{ on: a_table_of_the_ledger_${n}, may: [select] }`);
    const large = manifest({ target: `{ name: ledger-db, scope: { grants: [${grants.join(', ')}] } }` });
    expect(problems(large)).toEqual([
      expect.stringMatching(/identities\[0\]: the identity is too large: \d+ bytes as JSON, expected at most 29000/),
    ]);
  });

  it('is every identity that a manifest may declare: none is refused once it is sent', () => {
    const { identities } = read(
      manifest({
        owner: `{ person: "${'é'.repeat(200)}", team: "${'é'.repeat(100)}" }`,
        purpose: `"${'é'.repeat(500)}"`,
        tags: tags(10, 90),
        rotation: `{ every: 30d, grace: 1h, freeze: [{ from: 2026-12-24T00:00:00+01:00, to: 2026-12-27T00:00:00+01:00, reason: "${'é'.repeat(200)}" }] }`,
        consumers: `[{ name: api, notify: { webhook: "https://example.com/${'é'.repeat(1900)}" }, timeout: 30d }, { name: sh, notify: { command: [sh, "${'é'.repeat(2000)}"] }, after: [api] }]`,
      }),
    );
    const request = {
      id: 'é'.repeat(200),
      kind: 'provision',
      requester: 'é'.repeat(200),
      reason: 'é'.repeat(1_000),
    } as const;
    expect(whatIsMalformed({ ...request, spec: identities[0]! })).toBeUndefined();
  });
});
