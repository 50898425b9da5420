/** Which records show that a control operated, which show that it did not, and what nothing shows. Pure. */
import { frameworks, type Control, type FrameworkName } from './frameworks.js';
import type { Sealed } from './attest.js';
import { observations, type Observation, type ObservationName } from './observations.js';

/** A record, and what it shows. */
export interface Shown {
  readonly operation: string;
  /** `sha256:<hex>`, as the log knows the record. */
  readonly digest: string;
  readonly at: string;
  readonly what: string;
}

export interface ObservationReport {
  readonly observation: ObservationName;
  readonly that: string;
  readonly method: Observation['method'];
  readonly operated: readonly Shown[];
  readonly failed: readonly Shown[];
}

export interface ControlReport extends Pick<Control, 'id' | 'token' | 'title'> {
  readonly operated: number;
  readonly failed: number;
  readonly observations: readonly ObservationReport[];
  /** What is not shown, one sentence each. Never empty. */
  readonly gaps: readonly string[];
}

export interface Period {
  readonly since?: string;
  readonly until?: string;
}

export interface Report {
  readonly framework: FrameworkName;
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly period: { readonly from: string; readonly to: string };
  /** The records that were read, oldest first. */
  readonly records: readonly {
    readonly operation: string;
    readonly digest: string;
    readonly at: string;
    readonly identity: string;
  }[];
  readonly controls: readonly ControlReport[];
  readonly says: string;
}

/** What a report claims, in each of its forms. */
export const claim =
  'Each record is evidence that a control operated once, or that it did not. No count of them says that a control is met: that is for an assessor to judge.';

/** The report of a framework over the records that ended in the period. The same records give the same report. */
export function reportOn(framework: FrameworkName, records: readonly Sealed[], period: Period = {}): Report {
  const { name, version, source, controls } = frameworks[framework];
  const within = inPeriod(records, period);
  return {
    framework,
    name,
    version,
    source,
    period: {
      from: period.since ?? within[0]?.record.startedAt ?? period.until ?? epoch,
      to: period.until ?? within.at(-1)?.record.endedAt ?? period.since ?? epoch,
    },
    records: within.map(({ record: { operation, endedAt: at, identity }, digest }) => ({
      operation,
      digest,
      at,
      identity,
    })),
    controls: controls.map((control) => controlReport(control, within)),
    says: claim,
  };
}

const epoch = '1970-01-01T00:00:00.000Z';

function inPeriod(records: readonly Sealed[], { since, until }: Period): Sealed[] {
  const [from, to] = [since ? Date.parse(since) : -Infinity, until ? Date.parse(until) : Infinity];
  const ended = ({ record }: Sealed): number => Date.parse(record.endedAt);
  return records
    .filter((each) => ended(each) >= from && ended(each) <= to)
    .toSorted((one, other) => ended(one) - ended(other) || one.digest.localeCompare(other.digest));
}

function controlReport({ id, token, title, shownBy, beyond }: Control, records: readonly Sealed[]): ControlReport {
  const all = shownBy.map((name) => observationReport(name, records));
  const total = (of: 'operated' | 'failed'): number => all.reduce((sum, one) => sum + one[of].length, 0);
  const silent = all.filter(({ operated, failed }) => operated.length + failed.length === 0);
  return {
    id,
    token,
    title,
    operated: total('operated'),
    failed: total('failed'),
    observations: all,
    gaps: [
      ...silent.map(({ that }) => `No record in this period shows that ${that}.`),
      `No record can show ${beyond}.`,
    ],
  };
}

function observationReport(observation: ObservationName, records: readonly Sealed[]): ObservationReport {
  const { that, method, of }: Observation = observations[observation];
  const all = records.map(({ record }) => record);
  const seen = records.flatMap(({ record, digest }) => {
    const found = of(record, all);
    return found ? [{ ...found, operation: record.operation, digest, at: record.endedAt }] : [];
  });
  const those = (wanted: boolean): Shown[] =>
    seen.flatMap(({ operated, ...shown }) => (operated === wanted ? [shown] : []));
  return { observation, that, method, operated: those(true), failed: those(false) };
}
