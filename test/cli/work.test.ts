import { PassThrough } from 'node:stream';
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { runtimeOptions } from '../../src/cli/work.js';

afterAll(() => Runtime.instance().shutdown());

test('what the native part of Temporal logs goes into our log and not to standard output', () => {
  const runtime = Runtime.install(runtimeOptions(pino(new PassThrough())));
  expect(runtime.options).toMatchObject({ runtimeOptions: { logExporter: { type: 'forward' } } });
});
