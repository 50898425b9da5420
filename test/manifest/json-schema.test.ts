import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { manifestContext } from '../../src/manifest/context.js';
import { configJsonSchema, manifestJsonSchema } from '../../src/manifest/json-schema.js';
import { loadManifests } from '../../src/manifest/load.js';
import { formatProblem } from '../../src/manifest/problem.js';
import { openTargets } from '../../src/targets/registry.js';
import { manifest } from './manifests.js';

const addFormats = addFormatsModule as unknown as (ajv: Ajv) => Ajv;
const compile = (schema: object) => addFormats(new Ajv({ strict: false })).compile(schema);

describe('the JSON Schemas', () => {
  // To bring them up to date: npx vitest run test/manifest/json-schema.test.ts -u
  it('that are committed are current', async () => {
    await expect(`${JSON.stringify(manifestJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../tenure.schema.json');
    await expect(`${JSON.stringify(configJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../tenure-config.schema.json',
    );
  });

  it('take the examples', async () => {
    const manifests = compile(manifestJsonSchema());
    const config = compile(configJsonSchema());
    expect(
      manifests(parse(await readFile('examples/payments-db.yaml', 'utf8'))),
      JSON.stringify(manifests.errors),
    ).toBe(true);
    expect(config(parse(await readFile('examples/tenure.yaml', 'utf8'))), JSON.stringify(config.errors)).toBe(true);
  });

  it.each([
    ['an unknown field', { colour: 'red' }],
    ['an unknown kind', { kind: 'robot' }],
    ['a duration that is none', { rotation: '{ every: 30 days }' }],
    ['two ways to notify', { consumers: '[{ name: a, notify: { webhook: http://x, ack: manual } }]' }],
  ])('refuse %s in the editor already', (_title, lines) => {
    expect(compile(manifestJsonSchema())(parse(manifest(lines)))).toBe(false);
    expect(compile(manifestJsonSchema())(parse(manifest()))).toBe(true);
  });
});

describe('the examples', () => {
  let loaded: Awaited<ReturnType<typeof loadManifests>>;
  beforeAll(async () => {
    const config = await loadConfig('examples/tenure.yaml');
    loaded = await loadManifests(['examples'], manifestContext(config, openTargets(config)));
  });

  it('are right, against the real connectors', () => {
    expect(loaded.problems.map(formatProblem)).toEqual([]);
    expect(loaded.identities.map(({ name, environment, rotation }) => [name, environment, rotation.strategy])).toEqual([
      ['drill-db', 'production', 'alternate'],
      ['payments-db', 'production', 'alternate'],
      ['reports-db', 'development', 'alternate'],
    ]);
  });
});
