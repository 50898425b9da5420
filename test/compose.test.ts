/** The production-like set: valid by the compose specification, and without the defaults that hurt later. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { loadConfig } from '../src/config/load.js';
import { packageRoot } from '../src/package-root.js';

interface Service {
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: unknown;
  readonly build?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

const text = readFileSync(path.join(packageRoot, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);

/** The specification's own JSON Schema, as a linter of compose files ships it. */
function isValid(document: unknown): { readonly valid: boolean; readonly errors: unknown } {
  const folder = path.dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
  // It names its draft by an address that ajv does not know.
  const { $schema: _draft, ...schema } = JSON.parse(
    readFileSync(path.join(folder, 'schemas/compose.schema.json'), 'utf8'),
  ) as Record<string, unknown>;
  const check = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  return { valid: check(document), errors: check.errors };
}

test('docker-compose.yml is valid by the compose specification', () => {
  expect(isValid(compose)).toEqual({ valid: true, errors: null });
});

test('a misspelt field would be found by the specification', () => {
  const broken = {
    ...compose,
    services: { ...compose.services, worker: { ...compose.services['worker'], helthcheck: {} } },
  };
  expect(isValid(broken).valid).toBe(false);
});

test('every image has a pinned tag', () => {
  for (const [name, { image }] of services) expect(image, name).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?$/);
});

test('Temporal’s server and its tools are of one release', () => {
  const tags = services
    .map(([, { image }]) => image!)
    .filter((image) => /temporalio\/(server|admin-tools)/.test(image));
  expect(new Set(tags.map((image) => image.split(':')[1])).size).toBe(1);
});

test('ports are published on the loopback only', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('what runs on has a health check, what runs once is repeated until it succeeds', () => {
  const dockerfile = readFileSync(path.join(packageRoot, 'Dockerfile'), 'utf8');
  for (const [name, { healthcheck, restart, build }] of services) {
    if (restart!.startsWith('on-failure')) continue;
    expect(restart, name).toBe('unless-stopped');
    expect(healthcheck ?? (build && /^HEALTHCHECK /m.test(dockerfile)), name).toBeTruthy();
  }
});

test('every secret comes from the environment and nothing starts without it', () => {
  const secrets = services
    .flatMap(([, { environment = {} }]) => Object.entries(environment))
    .filter(([name]) => /PASSWORD|PWD|KEY/.test(name));
  expect(secrets.length).toBeGreaterThanOrEqual(5);
  for (const [name, value] of secrets)
    expect(value, name).toMatch(/^\$\{[A-Z_]+:\?set [A-Z_]+ in \.env, see docker\/env\.example\}$/);
  const example = readFileSync(path.join(packageRoot, 'docker/env.example'), 'utf8');
  for (const [, value] of secrets) expect(example).toContain(`\n${/\$\{([A-Z_]+)/.exec(value)![1]}=\n`);
});

test('state is kept in named volumes', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes).filter((volume) => !/^[.$]/.test(volume));
  expect(mounted.map((volume) => volume.split(':')[0]).sort()).toEqual(Object.keys(compose.volumes).sort());
});

test('the server is made with 512 history shards, which can’t be changed afterwards', () => {
  expect(compose.services['temporal']!.environment!['NUM_HISTORY_SHARDS']).toBe('512');
});

test('the worker’s configuration is one that Tenure takes', async () => {
  const config = await loadConfig(path.join(packageRoot, 'docker/tenure.yaml'));
  expect(config.stateDirectory).toBe('/var/lib/tenure');
});

test('the schema script makes both databases with the schema of each, the password never in an argument', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenure-schema-'));
  writeFileSync(path.join(folder, 'temporal-sql-tool'), '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
  const env = {
    PATH: `${folder}:${process.env['PATH']}`,
    SQL_HOST: 'db',
    SQL_USER: 'temporal',
    SQL_PASSWORD: 'planted',
    SCHEMAS: '/s',
  };
  const said = execFileSync('sh', [path.join(packageRoot, 'docker/temporal/schema.sh')], { env, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(said.split('\n').map((line) => line.split('--database ')[1])).toEqual([
    'temporal create',
    'temporal setup-schema --version 0.0',
    'temporal update-schema --schema-dir /s/temporal/versioned',
    'temporal_visibility create',
    'temporal_visibility setup-schema --version 0.0',
    'temporal_visibility update-schema --schema-dir /s/visibility/versioned',
    undefined,
  ]);
  expect(said).not.toContain('planted');
});
