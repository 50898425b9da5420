/** A life that was really lived: signed requests, signed approvals, real workflows on a real server, sealed in a real log. */
import { pino } from 'pino';
import type { AuthorizeInput } from '../../activities/contract.js';
import { createEvidenceActivities } from '../../activities/evidence.js';
import { createTrustActivities } from '../../activities/trust.js';
import type { Directory } from '../../src/domain/directory.js';
import type { GateRule } from '../../src/domain/decision.js';
import type { Ballot, ProcessState } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { processMessages } from '../../src/domain/wire.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import type { BundleFiles } from '../../src/evidence/bundle/files.js';
import { openEvidenceWriter, type EvidenceWriter } from '../../src/evidence/open.js';
import { publishedIn } from '../../src/exceptions/published.js';
import { digestOf } from '../../src/policy/digest.js';
import { advanceFor, inAdvance } from '../../src/trust/advance.js';
import { verifyRequest } from '../../src/trust/requests.js';
import { issuedAt } from '../../src/trust/issued-at.js';
import { decisionSigned, delegationSigned, requestSigned } from '../../src/trust/statements.js';
import { decisionFake } from '../support/ballots.js';
import { Engine, specOf } from '../support/engine.js';
import { directoryOf, person, type TestSigner } from '../support/signers.js';
import { begun } from '../support/world.js';

const rule: GateRule = {
  id: 'gate.rotation',
  why: 'a test asks for two people',
  controls: ['800-53:AC-3(2)'],
  approvals: 2,
  groups: ['security'],
  stepUp: false,
};

export interface Life {
  readonly engine: Engine;
  readonly evidence: EvidenceWriter;
  readonly ada: TestSigner;
  readonly grace: TestSigner;
  readonly alan: TestSigner;
  readonly joan: TestSigner;
  readonly directory: Directory;
  /** Asks with a signature, and waits for the end; `approvers` sign at the gate. */
  live(
    name: string,
    request: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>,
    approvers?: readonly TestSigner[],
  ): Promise<string>;
  bundle(): Promise<BundleFiles>;
  end(): Promise<void>;
}

export async function startLife(): Promise<Life> {
  const [ada, grace, alan, joan] = [
    person('ada@example.com', { groups: ['payments'] }),
    person('grace@example.com', { groups: ['security'] }),
    person('alan@example.com', { key: 'jwk-p256', groups: ['platform', 'security'] }),
    person('joan@example.com', { groups: ['security'] }),
  ];
  const directory = directoryOf(ada, grace, alan, joan);
  let evidence: EvidenceWriter | undefined;
  const engine = await Engine.start({
    activities: (started) => {
      const client = started.client;
      evidence = openEvidenceWriter(started.evidence);
      return {
        ...createTrustActivities({ loadDirectory: async () => directory }),
        ...createEvidenceActivities({
          evidence,
          client,
          workflows: 'code' in started.bundle ? started.bundle.code : '',
          directory: async () => directory,
          permitOf: async (operation, run) => ({ v: 1, operation, run }),
          published: publishedIn(started.evidence.stateDirectory),
          log: pino({ level: 'silent' }),
        }),
        authorize: async (asked: AuthorizeInput) => {
          const { request, identity, kind } = asked.input;
          const receivedAt = issuedAt(request.signed);
          const requester = await verifyRequest(request, identity, { directory, now: new Date(), receivedAt });
          const gated = { approvals: 2, gateMs: 60_000, groups: ['security'], gates: [rule] };
          const nothing = { approvals: 0, gateMs: 0 };
          const decidedAt = new Date();
          const task = { plan: asked.plan, requester, directory, now: decidedAt };
          const advance = await advanceFor(request.advance ?? [], task);
          const obligations = kind === 'rotate' && advance.length < 2 ? gated : nothing;
          const decision = decisionFake(asked, { obligations, policyDigest: digestOf('policies') });
          const counted = inAdvance(advance, directory, (some) => (kind === 'rotate' && some.length < 2 ? [rule] : []));
          return { ...decision, requester, ...counted, at: decidedAt.toISOString() };
        },
      };
    },
  });
  return {
    engine,
    evidence: evidence!,
    ada,
    grace,
    alan,
    joan,
    directory,
    async live(name, request, approvers = []) {
      const spec = request.kind === 'provision' ? { spec: specOf(name) } : {};
      const asked: ChangeRequest = { id: `${name}-${Math.random()}`, requester: ada.name, ...spec, ...request };
      const handle = await begun(engine, await requestSigned(asked, name, ada), name);
      for (const approver of approvers) await decide(handle.operation, approver);
      await handle.result().catch(() => undefined);
      return handle.operation;
    },
    bundle: () => exportBundle(evidence!.shelf, {}),
    end: () => engine.stop(),
  };

  async function decide(operation: string, approver: TestSigner): Promise<void> {
    const state = await engine.processWhen(operation, ({ gate }) => gate !== undefined);
    const ballot: Ballot = approver === joan ? await forGrace(state) : { signed: await decisionOf(state, approver) };
    await engine.process(operation).signal(processMessages.decide, ballot);
    await engine.processWhen(operation, ({ gate }) => gate!.votes.some((vote) => vote.approver === approver.name));
  }

  /** Joan decides with what Grace has lent her. */
  async function forGrace(state: ProcessState): Promise<Ballot> {
    const lent = {
      id: 'away',
      to: joan.name,
      groups: ['security'],
      environments: [],
      nbf: new Date().toISOString(),
      reason: 'away',
    };
    return {
      signed: await decisionOf(state, joan, grace.name),
      delegation: await delegationSigned(lent, 3_600_000, grace),
    };
  }

  async function decisionOf({ operation, gate }: ProcessState, approver: TestSigner, onBehalfOf?: string) {
    const { run, round, planDigest: plan, policyDigest: policy, evidenceDigest, requester } = gate!;
    return decisionSigned(
      {
        operation,
        run,
        round,
        plan,
        policy,
        evidence: evidenceDigest,
        requester,
        ...(onBehalfOf !== undefined && { onBehalfOf }),
        decision: 'approve',
        reason: 'looked at it',
      },
      approver,
    );
  }
}
