import { Context } from '@temporalio/activity';
import type { Directory } from '../src/domain/directory.js';
import { weighBallot } from '../src/trust/ballots.js';
import type { Declarations } from '../src/trust/declared.js';
import { noteSaid, type GateOf, type Gates } from '../src/trust/gates.js';
import { issuedAt } from '../src/trust/issued-at.js';
import { verifyRequest, verifyWord } from '../src/trust/requests.js';
import type { TrustActivities } from './contract.js';
import type { DemandEmergency } from './emergency.js';

/** What verifying needs from outside. */
export interface TrustDependencies {
  /** The directory as it is now: a key that was removed is nobody's from that moment on. */
  loadDirectory(): Promise<Directory>;
  /** Where it is noted what somebody signed that an identity shall be. */
  readonly declarations?: Pick<Declarations, 'note'>;
  /** Where it is noted who denied, and who took an approval back. */
  readonly gates?: Pick<Gates, 'say' | 'of'>;
  /** Whether policy lets somebody stop what runs: to be somebody is not enough for that. */
  readonly demandEmergency?: DemandEmergency;
  readonly now?: () => Date;
}

/** Verifies who said what. */
export function createTrustActivities({
  loadDirectory,
  declarations,
  gates,
  demandEmergency,
  now = () => new Date(),
}: TrustDependencies): TrustActivities {
  return {
    async attest({ asked, identity }) {
      const attested = await verifyRequest(asked, identity, { directory: await loadDirectory(), now: now() });
      if (asked.emergency) await demandEmergency?.(asked, identity, attested);
      const { id: request, spec } = asked;
      const { name: by, at } = attested;
      // An amendment too is only asked for until policy has decided on it.
      if (spec) await declarations?.note({ v: 1, identity, request, by, how: 'asked', spec, at });
      return attested;
    },

    async attestWord(word) {
      return verifyWord(word, { directory: await loadDirectory(), now: now() });
    },

    async weigh({ ballot, gate, plan, input }) {
      const moment = { directory: await loadDirectory(), now: now() };
      const { request, identity, operation } = input;
      // The request was taken a while ago; what counts is who asks, by keys that hold now.
      const receivedAt = issuedAt(request.signed);
      const requester = await verifyRequest(request, identity, { ...moment, receivedAt });
      const weighed = await weighBallot({ ballot, gate, plan, operation, requester, ...moment });
      // Whoever schedules this says what the gate is: what is kept is what the process itself has weighed, at its own gate.
      if (gates && isAsking({ operation, run: gate.run }))
        await noteSaid(gates, { operation, run: gate.run }, weighed, gate.round);
      return weighed;
    },
  };
}

function isAsking({ operation, run }: GateOf): boolean {
  const { workflowExecution } = Context.current().info;
  return workflowExecution?.workflowId === operation && workflowExecution.runId === run;
}
