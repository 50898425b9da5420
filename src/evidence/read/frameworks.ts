/** Controls of public frameworks, by their own identifiers, with the observations that bear on each. Pure data. */
import type { BesideName } from './observations-beside.js';
import type { ObservationName } from './observations.js';

export interface Control {
  /** As the framework writes it. */
  readonly id: string;
  /** As an OSCAL token, of the published catalog where there is one. */
  readonly token: string;
  readonly title: string;
  readonly shownBy: readonly (ObservationName | BesideName)[];
  /** What the control asks for besides, which no record of Tenure can show. */
  readonly beyond: string;
}

export interface Framework {
  readonly name: string;
  readonly version: string;
  /** How a statement of a control is named in its OSCAL catalog. */
  readonly statementSuffix: '_smt' | '_statement';
  readonly source: string;
  readonly controls: readonly Control[];
}

type Row = readonly [id: string, title: string, shownBy: Control['shownBy'], beyond: string];

const rows = (token: (id: string) => string, all: readonly Row[]): Control[] =>
  all.map(([id, title, shownBy, beyond]) => ({ id, token: token(id), title, shownBy, beyond }));

const csf2: Framework = {
  name: 'NIST Cybersecurity Framework',
  version: '2.0',
  statementSuffix: '_statement',
  source: 'https://doi.org/10.6028/NIST.CSWP.29',
  controls: rows(
    (id) => id,
    [
      [
        'GV.PO-01',
        'Policy is established, communicated and enforced',
        ['decision'],
        'that the policy suits the organisation, and was communicated',
      ],
      [
        'GV.RR-02',
        'Roles, responsibilities and authorities are established and enforced',
        ['approval', 'separation'],
        'that the directory gives people the right groups',
      ],
      [
        'ID.AM-08',
        'Systems and services are managed throughout their life cycles',
        ['provision', 'rotation', 'offboarding'],
        'identities that were never declared',
      ],
      [
        'ID.RA-07',
        'Changes and exceptions are managed, assessed, recorded and tracked',
        ['decision', 'growth', 'exception', 'exceptionApproved', 'exceptionControlled', 'exceptionEnded'],
        'changes that were made outside of Tenure',
      ],
      [
        'PR.AA-01',
        'Identities and credentials are managed',
        ['provision', 'rotation', 'revocation', 'offboarding'],
        'credentials of people',
      ],
      [
        'PR.AA-03',
        'Users, services and hardware are authenticated',
        ['request', 'validation', 'stepUp'],
        'how the target authenticates others',
      ],
      [
        'PR.AA-04',
        'Identity assertions are protected, conveyed and verified',
        ['request', 'separation'],
        'assertions between other systems',
      ],
      [
        'PR.AA-05',
        'Permissions are defined in a policy, managed, enforced and reviewed, with least privilege and separation of duties',
        ['decision', 'approval', 'separation', 'leastPrivilege', 'growth', 'recordedUse', 'revocation', 'offboarding'],
        'that the declared rights are the least that the work needs',
      ],
      ['PR.PS-04', 'Log records are generated and made available', ['record'], 'the logs of the targets themselves'],
      [
        'DE.CM-03',
        'Activity of personnel and use of technology are monitored',
        ['validation', 'recordedUse', 'elevationReview', 'routineReview'],
        'what people do with a credential; see tenure attribute',
      ],
      [
        'RS.AN-06',
        'Actions are recorded, and the integrity and provenance of the records are preserved',
        ['record', 'emergency'],
        'that checkpoints are kept where nobody who runs Tenure can delete them',
      ],
    ],
  ),
};

/** `AC-2(3)` is `ac-2.3` in OSCAL. */
const nistToken = (id: string): string => id.toLowerCase().replace(/\((\d+)\)/, '.$1');

const nist80053: Framework = {
  name: 'NIST SP 800-53',
  version: 'Rev. 5',
  statementSuffix: '_smt',
  source: 'https://doi.org/10.6028/NIST.SP.800-53r5',
  controls: rows(nistToken, [
    [
      'AC-2',
      'Account Management',
      ['request', 'decision', 'provision', 'offboarding'],
      'accounts that were never declared, and the appointment of account managers',
    ],
    [
      'AC-2(2)',
      'Automated Temporary and Emergency Account Management',
      ['elevation', 'elevationReview', 'emergency'],
      'temporary accounts that Tenure did not make',
    ],
    ['AC-2(3)', 'Disable Accounts', ['revocation', 'offboarding'], 'accounts of people'],
    [
      'AC-3(2)',
      'Dual Authorization',
      ['approval', 'stepUp'],
      'that two keys are held by two people, which the directory asserts',
    ],
    [
      'AC-5',
      'Separation of Duties',
      ['separation', 'approval'],
      'duties outside of Tenure, such as the administration of the target',
    ],
    [
      'AC-6',
      'Least Privilege',
      ['leastPrivilege', 'growth', 'recordedUse'],
      'that the declared rights are the least that the work needs',
    ],
    [
      'AC-6(7)',
      'Review of User Privileges',
      ['growth', 'recordedUse', 'routineReview'],
      'reviews that were held outside of Tenure',
    ],
    ['AC-24', 'Access Control Decisions', ['decision'], 'decisions that the target takes by itself'],
    ['AU-3', 'Content of Audit Records', ['record'], 'the records of other systems'],
    [
      'AU-9(3)',
      'Cryptographic Protection',
      ['record'],
      'that the key of the log is kept apart; tenure evidence verify checks the log itself',
    ],
    [
      'AU-10',
      'Non-repudiation',
      ['request', 'approval'],
      'that a key was held by the person whose name the directory gives to it',
    ],
    ['AU-12', 'Audit Record Generation', ['record'], 'the records of other systems'],
    [
      'CA-5',
      'Plan of Action and Milestones',
      ['exceptionApproved', 'exceptionEnded'],
      'weaknesses for which nobody asked for an exception',
    ],
    ['CA-7', 'Continuous Monitoring', ['validation'], 'a strategy for monitoring, and its other measures'],
    ['CM-3', 'Configuration Change Control', ['decision', 'approval'], 'changes that were made outside of Tenure'],
    ['IA-4', 'Identifier Management', ['provision', 'ownIdentity'], 'identifiers of people'],
    ['IA-5', 'Authenticator Management', ['provision', 'rotation', 'revocation'], 'authenticators of people'],
    [
      'IA-9',
      'Service Identification and Authentication',
      ['validation', 'request'],
      'how services authenticate to one another',
    ],
    ['IA-11', 'Re-authentication', ['stepUp'], 'sessions of other systems'],
    ['IR-4', 'Incident Handling', ['emergency'], 'everything of an incident besides its credentials'],
    ['PS-4', 'Personnel Termination', ['offboarding'], 'that everything of somebody who left was found'],
    [
      'RA-7',
      'Risk Response',
      ['exception', 'exceptionApproved', 'exceptionControlled', 'exceptionEnded'],
      'responses to risks that need no exception',
    ],
  ]),
};

const owaspNhi: Framework = {
  name: 'OWASP Non-Human Identities Top 10',
  version: '2025',
  statementSuffix: '_statement',
  source: 'https://owasp.org/www-project-non-human-identities-top-10/',
  controls: rows(
    (id) => id.replace(':', '-'),
    [
      ['NHI1:2025', 'Improper Offboarding', ['offboarding', 'revocation'], 'identities that were never declared'],
      ['NHI2:2025', 'Secret Leakage', ['rotation', 'revocation'], 'where copies of a credential lie'],
      ['NHI3:2025', 'Vulnerable Third-Party NHI', [], 'everything: Tenure keeps no record of third parties'],
      [
        'NHI4:2025',
        'Insecure Authentication',
        ['validation', 'request'],
        'the strength of the method that the target uses',
      ],
      [
        'NHI5:2025',
        'Overprivileged NHI',
        ['leastPrivilege', 'growth', 'recordedUse', 'approval', 'decision'],
        'that the declared rights are the least that the work needs',
      ],
      [
        'NHI6:2025',
        'Insecure Cloud Deployment Configurations',
        [],
        'everything: Tenure keeps no record of deployments',
      ],
      [
        'NHI7:2025',
        'Long-Lived Secrets',
        ['rotation', 'elevation'],
        'secrets that were never declared; tenure attest judges ages',
      ],
      ['NHI8:2025', 'Environment Isolation', ['isolation'], 'networks and accounts that environments share'],
      ['NHI9:2025', 'NHI Reuse', ['ownIdentity'], 'which applications share one identity'],
      ['NHI10:2025', 'Human Use of NHI', ['emergency'], 'who used a credential; see tenure attribute'],
    ],
  ),
};

/** The frameworks that a report can be made for. */
export const frameworks = { csf2, '800-53': nist80053, 'owasp-nhi': owaspNhi } as const;
export type FrameworkName = keyof typeof frameworks;
