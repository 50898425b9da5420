import { QueryNotRegisteredError, type WorkflowQueryInput } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import { aheadOfItsTask } from '../../src/domain/wire.js';
import { askingAgain } from '../../src/temporal/ask-again.js';

const input = {} as WorkflowQueryInput;
const failing = (message: string): QueryNotRegisteredError => new QueryNotRegisteredError(message, 3);

test.each([aheadOfItsTask, 'Encoded failure'])(
  'a query that came before its task is asked again: %s',
  async (message) => {
    const next = vi
      .fn<() => Promise<unknown>>()
      .mockRejectedValueOnce(failing(message))
      .mockResolvedValueOnce('answer');
    expect(await askingAgain.query!(input, next)).toBe('answer');
    expect(next).toHaveBeenCalledTimes(2);
  },
);

test('not for ever', async () => {
  const next = vi.fn<() => Promise<unknown>>().mockRejectedValue(failing(aheadOfItsTask));
  await expect(askingAgain.query!(input, next)).rejects.toThrow(aheadOfItsTask);
  expect(next).toHaveBeenCalledTimes(6);
});

test.each([failing('no such query'), new Error(aheadOfItsTask)])(
  'what failed otherwise is not asked again: %s',
  async (error) => {
    const next = vi.fn<() => Promise<unknown>>().mockRejectedValue(error);
    await expect(askingAgain.query!(input, next)).rejects.toBe(error);
    expect(next).toHaveBeenCalledTimes(1);
  },
);
