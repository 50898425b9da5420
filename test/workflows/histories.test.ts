/** I11: histories of every released version replay with the bundle that is shipped now. */
import { readFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import * as workflows from '../../workflows/index.js';
import { recordedHistories, type Recorded } from '../histories/files.js';
import '../support/quiet.js';

const recorded = recordedHistories();
let code: string;
beforeAll(async () => {
  code = await readFile(await buildWorkflowBundle(), 'utf8');
});

async function replayed(histories: readonly Recorded[], bundle: string): Promise<Map<string, unknown>> {
  const errors = new Map<string, unknown>();
  const titles = new Map(
    histories.map(({ history, title }) => [
      history.events![0]!.workflowExecutionStartedEventAttributes!.originalExecutionRunId,
      title,
    ]),
  );
  for await (const { runId, error } of Worker.runReplayHistories({ workflowBundle: { code: bundle } }, histories))
    if (error) errors.set(titles.get(runId) ?? runId, error);
  return errors;
}

function typeOf({ history }: Recorded): string {
  return history.events![0]!.workflowExecutionStartedEventAttributes!.workflowType!.name!;
}

describe('recorded histories', () => {
  test('are there for every workflow, and for an identity that continued as new', () => {
    expect(new Set(recorded.map(typeOf))).toEqual(new Set(Object.keys(workflows)));
    const carriedOn = recorded.filter(
      ({ history }) => history.events!.at(-1)!.workflowExecutionContinuedAsNewEventAttributes,
    );
    expect(carriedOn.length).toBeGreaterThan(0);
  });

  test('I11: replay, every one, with the bundle of now', async () => {
    expect(await replayed(recorded, code)).toEqual(new Map());
  });

  test('I11: and the replay notices when one step becomes another', async () => {
    const changed = code.replaceAll('.install(process.change())', '.verify(process.change())');
    expect(changed).not.toBe(code);
    expect((await replayed(recorded, changed)).size).toBeGreaterThan(0);
  });

  test('I1: hold no secret, no machine and nobody’s path', () => {
    const text = JSON.stringify(recorded).replaceAll(/"data":"([\w+/=]+)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(text).toContain('logged in as life_b');
    expect(text).not.toMatch(/made-\d|\/home\/|\/tmp\/|\/work\/|node_modules|@vm/);
  });
});
