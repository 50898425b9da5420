import { ApplicationFailure } from '@temporalio/workflow';
import type { Verb } from '../../src/domain/statement.js';
import type { Preempt, Word } from '../../src/domain/wire.js';
import type { Doorkeeper } from './inbox.js';
import type { Process } from './process.js';

/** Verifies what is sent to a process, by activities: what was verified becomes part of its history. */
export function doorkeeperOf(process: Process): Doorkeeper {
  return {
    async word(verb: Verb, { signed, ...content }: Word) {
      const subject = process.input.operation;
      const word = { verb, subject, content, ...(signed && { signed }) };
      const { name } = await process.hereFirst('careful', `Verify who says ${verb}`, ({ attestWord }) =>
        attestWord(word),
      );
      if (name !== content.by)
        throw ApplicationFailure.nonRetryable(
          `it is said in the name of somebody else than ${name}`,
          'ApprovalRefused',
        );
    },
    async emergency({ request }: Preempt) {
      if (request.kind !== 'revoke' || request.emergency !== true)
        throw ApplicationFailure.nonRetryable('only an emergency revocation pre-empts a process', 'ApprovalRefused');
      const asked = { asked: request, identity: process.input.identity };
      await process.hereFirst('careful', 'Verify who declares an emergency', ({ attest }) => attest(asked));
    },
  };
}
