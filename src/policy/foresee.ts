/** What policy would say to a change that nobody has asked for yet. Facts that only a worker knows are taken from the declarations. */
import { partyNamed, type Attested, type Directory } from '../domain/directory.js';
import type { Decision } from '../domain/decision.js';
import type { ExceptionTerms } from '../domain/exception.js';
import type { Facts } from '../domain/facts.js';
import type { IdentitySpec, IdentityState } from '../domain/identity.js';
import { amendmentPlanOf, approvedIn, planOf, type ProcessPlan } from '../domain/plan.js';
import type { ProcessKind } from '../domain/process.js';
import type { ChangeRequest } from '../domain/request.js';
import { processId } from '../domain/wire.js';
import type { ExceptionSettings } from '../exceptions/options.js';
import { exceptionFactsOf, exceptionQuestion } from '../exceptions/question.js';
import type { Foreseen } from '../manifest/diff.js';
import { digestOf } from './digest.js';
import type { Policy, PolicyQuestion } from './policy.js';
import { growthOf } from './scope-lines.js';

/** As whom, and when. */
export interface Foresight {
  readonly policy: Policy;
  readonly directory: Directory;
  readonly requester: string;
  readonly gateMs: number;
  readonly now: Date;
}

/** What would be asked. */
export interface Imagined extends Pick<ChangeRequest, 'emergency' | 'repair' | 'elevation' | 'ticket' | 'reason'> {
  readonly kind: ProcessKind | 'amend';
  readonly spec: IdentitySpec;
  readonly state?: IdentityState | undefined;
}

/** The question that policy would be asked, with no approvals. */
export function imagine({ directory, requester, gateMs, now }: Foresight, imagined: Imagined): PolicyQuestion {
  const { spec, state } = imagined;
  const plan = planFor(imagined, requester);
  return {
    plan,
    requester: asThough(directory, requester, now),
    facts: factsFrom(plan, spec, state),
    votes: [],
    advance: [],
    directory,
    frozen: false,
    now,
    gateMs,
  };
}

function planFor({ kind, spec, state, ...request }: Imagined, requester: string): ProcessPlan {
  const asked = { ...request, id: 'not asked yet', requester };
  const { name } = spec;
  if (kind === 'amend') return amendmentPlanOf({ identity: name, spec, before: state?.spec ?? spec, request: asked });
  return planOf({
    kind,
    operation: processId(name, kind, (state?.processNumber ?? 0) + 1),
    epoch: 0,
    identity: name,
    request: { ...asked, kind },
    spec,
    ...(state?.spec && { specBefore: state.spec }),
    ...(state?.current && { current: state.current }),
  });
}

/** The same question about an exception. Which others hold, and whether there is a freeze, only a worker knows. */
export function imagineException(
  { directory, requester, gateMs, now }: Foresight,
  spec: IdentitySpec,
  terms: ExceptionTerms,
  settings: Pick<ExceptionSettings, 'commands'>,
): PolicyQuestion {
  const asking = { requester: asThough(directory, requester, now), directory, lifted: [], frozen: false, now, gateMs };
  return exceptionQuestion(terms, exceptionFactsOf(spec, terms, settings), asking);
}

/** Somebody who stands in no directory is a person without groups here; the request itself would be refused. */
function asThough(directory: Directory, name: string, now: Date): Attested {
  const { kind, groups, owner } = partyNamed(directory, name) ?? {
    kind: 'person' as const,
    groups: [],
    owner: undefined,
  };
  const who = { name, kind, groups, ...(owner !== undefined && { owner }) };
  return { ...who, key: '', presence: 'none', at: now.toISOString(), statement: '' };
}

function factsFrom(plan: ProcessPlan, spec: IdentitySpec, state: IdentityState | undefined): Facts {
  const before = state?.current && state.spec;
  return {
    there: [],
    growth: growthOf(before?.target.scope ?? {}, spec.target.scope),
    unused: [],
    exceptions: [],
    ...(before &&
      plan.before && {
        lastApproved: {
          operation: '',
          at: '',
          scopeDigest: digestOf(before.target.scope),
          toDigest: digestOf(plan.before.to),
          declaredDigest: digestOf(approvedIn(plan.before)),
        },
      }),
  };
}

/** The answer as `tenure plan` tells it. An amendment waits for nobody. */
export function foreseenIn(kind: Imagined['kind'], { effect, obligations, message }: Decision): Foreseen {
  const { approvals, groups = [] } = obligations;
  if (kind === 'amend' && approvals > 0)
    return { approvals: 0, groups: [], refusal: 'people would have to approve it, so it goes with a rotation' };
  return { approvals, groups, ...(effect === 'deny' && message !== undefined && { refusal: message }) };
}
