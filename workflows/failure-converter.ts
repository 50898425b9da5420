/**
 * How failures of workflows are written. The code is the same with and without encryption, so that one digest names it; where payloads are
 * encrypted, the worker says so in a line before it, and messages and stacks become payloads too. Both ways are read alike, so that a
 * history replays whichever holds now.
 */
import { DefaultFailureConverter } from '@temporalio/common';

declare const tenureEncodesFailures: boolean | undefined;

export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: typeof tenureEncodesFailures !== 'undefined' && tenureEncodesFailures === true,
});
