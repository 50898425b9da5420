/**
 * A report as OSCAL assessment results. Observations say what records show. A finding is made only where records show that a control
 * did not operate: a finding can only say "satisfied" or "not satisfied", and no record shows the former. The same records give the
 * same document, byte for byte: its UUIDs are made from names, its times from the records.
 */
import type { ControlReport, ObservationReport, Report, Shown } from './report.js';
import { frameworks } from './frameworks.js';
import { uuidOf } from './uuid.js';

/** The release of OSCAL that the document follows. */
const oscalVersion = '1.2.1';

/** The assessment results of a report. */
export function oscalOf(report: Report): Record<string, unknown> {
  const { from, to } = report.period;
  const root = `${report.framework}/${from}/${to}/${report.records.map(({ digest }) => digest).join(',')}`;
  const noPlan = uuidOf(`${root}/no-plan`);
  return {
    'assessment-results': {
      uuid: uuidOf(root),
      metadata: {
        title: `Evidence of Tenure for ${report.name} ${report.version}`,
        'last-modified': instant(to),
        version: uuidOf(root).slice(0, 8),
        'oscal-version': oscalVersion,
        remarks: report.says,
      },
      'import-ap': { href: `#${noPlan}` },
      results: [resultOf(report, root)],
      'back-matter': {
        resources: [
          {
            uuid: noPlan,
            title: 'No assessment plan',
            description: 'OSCAL asks for one. These results were drawn from records without a plan.',
          },
          ...report.records.map(resourceOf),
        ],
      },
    },
  };
}

/** OSCAL wants a time zone and no more than it needs. */
function instant(iso: string): string {
  return new Date(iso).toISOString();
}

function resourceOf({ operation, digest, identity, at }: Report['records'][number]): object {
  const value = digest.replace(/^sha256:/, '');
  return {
    uuid: recordId(digest),
    title: operation,
    description: `The record of ${operation}, ${identity === undefined ? '' : `about ${identity}, `}of what ended at ${instant(at)}.`,
    rlinks: [{ href: `urn:tenure:evidence:${digest}`, hashes: [{ algorithm: 'SHA-256', value }] }],
  };
}

const recordId = (digest: string): string => uuidOf(`record/${digest}`);

function resultOf(report: Report, root: string): object {
  const { from, to } = report.period;
  const observations = report.controls.flatMap((control) =>
    control.observations.filter(hasAny).map((one) => observationOf(control, one, root)),
  );
  const findings = report.controls
    .filter(({ failed }) => failed > 0)
    .map((control) => findingOf(report, control, root));
  return {
    uuid: uuidOf(`${root}/result`),
    title: `${report.name} ${report.version}, ${instant(from)} to ${instant(to)}`,
    description: report.says,
    start: instant(from),
    end: instant(to),
    'reviewed-controls': {
      links: [{ href: report.source, rel: 'reference' }],
      'control-selections': [
        {
          description: 'The controls on which a record of Tenure can bear.',
          'include-controls': report.controls.map(({ token }) => ({ 'control-id': token })),
        },
      ],
    },
    ...(observations.length > 0 && { observations }),
    ...(findings.length > 0 && { findings }),
    remarks: report.controls.map(({ id, gaps }) => `${id}: ${gaps.join(' ')}`).join('\n\n'),
  };
}

function hasAny({ operated, failed }: ObservationReport): boolean {
  return operated.length + failed.length > 0;
}

const observationId = (root: string, control: ControlReport, { observation }: ObservationReport): string =>
  uuidOf(`${root}/${control.token}/${observation}`);

function observationOf(control: ControlReport, one: ObservationReport, root: string): object {
  const shown = [...one.operated, ...one.failed];
  const newest = shown
    .map(({ at }) => at)
    .toSorted()
    .at(-1)!;
  return {
    uuid: observationId(root, control, one),
    title: `${control.id}: ${one.observation}`,
    description: `Evidence that ${one.that}: ${one.operated.length} of ${shown.length} records show it.`,
    props: [
      { name: 'control-id', value: control.token },
      { name: 'operated', value: String(one.operated.length) },
      { name: 'failed', value: String(one.failed.length) },
    ].map((prop) => ({ ns: 'urn:tenure:oscal', ...prop })),
    methods: [one.method],
    types: ['control-objective'],
    'relevant-evidence': [
      ...one.operated.map((record) => evidenceOf(record, 'operated')),
      ...one.failed.map((record) => evidenceOf(record, 'did not operate')),
    ],
    collected: instant(newest),
  };
}

function evidenceOf({ operation, digest, at, what }: Shown, how: string): object {
  return { href: `#${recordId(digest)}`, description: `${operation}, ${instant(at)}, ${how}: ${what}` };
}

function findingOf(report: Report, control: ControlReport, root: string): object {
  const failing = control.observations.filter(({ failed }) => failed.length > 0);
  return {
    uuid: uuidOf(`${root}/${control.token}/finding`),
    title: `${control.id} ${control.title}: it did not operate in ${control.failed} ${control.failed === 1 ? 'case' : 'cases'}`,
    description: failing.map(({ that, failed }) => `Not shown in ${failed.length}: that ${that}.`).join(' '),
    target: {
      type: 'statement-id',
      'target-id': `${control.token}${frameworks[report.framework].statementSuffix}`,
      status: { state: 'not-satisfied', reason: 'fail' },
    },
    'related-observations': failing.map((one) => ({ 'observation-uuid': observationId(root, control, one) })),
  };
}
