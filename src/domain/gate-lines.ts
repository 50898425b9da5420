/** What a gate shows, wherever it is shown: the Temporal UI, the command line, a notice. Pure. */
import { inOneLine } from './clip.js';
import type { Facts } from './facts.js';
import { planInWords } from './plan-words.js';
import type { ProcessPlan } from './plan.js';
import type { GateState } from './process.js';
import { missingInWords } from './quorum.js';

/** One fact of a gate. */
export interface GateLine {
  readonly label: string;
  readonly text: string;
}

/** Everything that somebody has to know before they sign, in the order in which it is read. */
export function gateLines(plan: ProcessPlan, gate: GateState, facts?: Facts): GateLine[] {
  const line = (label: string, text: string | undefined): GateLine[] =>
    text ? [{ label, text: inOneLine(text) }] : [];
  return [
    ...line(
      'Plan',
      planInWords(plan)
        .map((one) => one.trimStart())
        .join('; '),
    ),
    ...line(
      facts?.lastApproved ? 'New since the last approved plan' : 'Rights, of which none was approved before',
      listed(facts?.growth),
    ),
    ...line('Not as recorded at the target', listed(facts?.there)),
    ...line('Granted and not used', listed(facts?.unused)),
    ...line('Under the exceptions', listed(facts?.exceptions)),
    ...line('Last approved', facts?.lastApproved && `${facts.lastApproved.operation}, ${facts.lastApproved.at}`),
    ...line('Asked by', gate.requester),
    ...line('May decide', mayDecide(gate, plan)),
    ...line('Because of', listed(gate.rules.map(({ id, why }) => `${id} (${why})`))),
    ...line(
      'Decided',
      listed(gate.votes.map(({ approver, decision, onBehalfOf }) => voteInWords(approver, decision, onBehalfOf))),
    ),
    ...line('Missing', missingInWords(gate)),
    ...line('Closes', gate.deadline),
    ...line('Round', gate.number > 1 ? `${gate.number}: ${gate.reopened ?? 'opened again'}` : undefined),
    ...line('Plan digest', gate.planDigest),
    ...line('Policies digest', gate.policyDigest),
    ...line('Facts digest', gate.evidenceDigest),
  ];
}

/** Never who asked, nor who is behind that. `plan`: says who owner and team are. */
export function mayDecide(
  { groups, escalatedTo, stepUp, requester, behind = [] }: GateState,
  plan?: Pick<ProcessPlan, 'owner' | 'declared' | 'before'>,
): string {
  const all = [...groups, ...(escalatedTo === undefined ? [] : [escalatedTo])];
  const words = all.map((group) => inWords(group, plan)).join(', ');
  const who = all.length === 0 ? 'any person in the directory' : `people of ${words}`;
  return `${who} but ${[requester, ...behind].join(' and ')}${stepUp ? ', with a security key that is touched and unlocked' : ''}`;
}

function voteInWords(approver: string, decision: 'approve' | 'deny', onBehalfOf: string | undefined): string {
  const forWhom = onBehalfOf === undefined ? '' : ` for ${onBehalfOf}`;
  return `${approver}${forWhom} ${decision === 'approve' ? 'approved' : 'denied'}`;
}

function inWords(groups: string, plan: Pick<ProcessPlan, 'owner' | 'declared' | 'before'> | undefined): string {
  const untilNow = plan?.before ?? plan;
  const named: Readonly<Record<string, string | undefined>> = {
    owner: untilNow?.owner,
    team: untilNow && (untilNow.declared?.team ?? 'none'),
  };
  return groups
    .split('|')
    .map((group) => (named[group] === undefined ? group : `${group} (${named[group]})`))
    .join(' or ');
}

function listed(all: readonly string[] | undefined): string | undefined {
  return all?.join('; ');
}
