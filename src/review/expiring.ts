import { isLive } from '../exceptions/live.js';
import { groupedBy } from './decisions.js';
import type { Finding, Rule } from './finding.js';

const controls = ['CSF2:ID.RA-07', '800-53:CA-5', '800-53:RA-7'];

/** Exceptions that end soon, that do not hold, that nobody checks, or that follow one another. */
export const exceptionsDue: Rule = ({ exceptions, now }, { expiring }) => {
  const open = exceptions.filter(({ status, terms }) => status !== 'ended' && now.getTime() < Date.parse(terms.until));
  const soon = open.filter(({ terms }) => Date.parse(terms.until) - now.getTime() <= expiring);
  const suspended = open.filter(({ status }) => status === 'suspended');
  // Its workflow was ended or reset: it holds no more, and nobody was told and nothing enforced.
  const unchecked = exceptions.filter((one) => one.status === 'active' && !isLive(one, now));
  const groups = groupedBy(
    exceptions.flatMap((one) => one.terms.rules.map((rule) => ({ ...one, rule }))),
    ({ terms, rule }) => `${terms.identity} ${rule}`,
  );
  const renewed = [...groups.values()].filter(
    (all) => all.length > 1 && all.some((one) => open.some(({ terms }) => terms.id === one.terms.id)),
  );
  return [
    ...soon.map(({ terms }): Finding => ({
      ...common(terms.identity, [terms.id]),
      rule: 'exception-near-expiry',
      severity: 'low',
      what: `the exception ${terms.id} from ${terms.rules.join(', ')} ends at ${terms.until}; then ${terms.identity} is asked to ${terms.afterwards}`,
      next: 'make the rule hold before that',
    })),
    ...suspended.map(({ terms, why }): Finding => ({
      ...common(terms.identity, [terms.id]),
      rule: 'exception-suspended',
      severity: 'medium',
      what: `the exception ${terms.id} does not hold: ${why}`,
      next: 'make its controls hold, or withdraw it: tenure except withdraw',
    })),
    ...unchecked.map(({ terms }): Finding => ({
      ...common(terms.identity, [terms.id]),
      rule: 'exception-unchecked',
      severity: 'high',
      what: `nobody checks the exception ${terms.id} any more, so it holds no more, and ${terms.identity} was not asked to ${terms.afterwards}`,
      next: `find out who ended its workflow, and then: tenure ${terms.afterwards} ${terms.identity}`,
    })),
    ...renewed.map((all): Finding => ({
      ...common(
        all[0]!.terms.identity,
        all.map(({ terms }) => terms.id),
      ),
      rule: 'exception-renewed',
      severity: 'medium',
      what: `${all[0]!.terms.identity} has had ${all.length} exceptions from ${all[0]!.rule}`,
      next: 'change the rule or what does not meet it: this is no exception any more',
    })),
  ];
};

function common(subject: string, evidence: readonly string[]): Pick<Finding, 'subject' | 'evidence' | 'controls'> {
  return { subject, evidence, controls };
}
