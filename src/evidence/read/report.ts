/** Which records show that a control operated, which show that it did not, and what nothing shows. Pure. */
import { frameworks, type Control, type FrameworkName } from './frameworks.js';
import { aboutOf } from '../kinds.js';
import type { Sealed } from './attest.js';
import {
  besideObservations,
  type BesideName,
  type BesideObservation,
  type BesideRecord,
} from './observations-beside.js';
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
  readonly observation: ObservationName | BesideName;
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
    /** A routine review is about no single one. */
    readonly identity?: string;
  }[];
  readonly controls: readonly ControlReport[];
  readonly says: string;
}

/** What a report claims, in each of its forms. */
export const claim =
  'Each record is evidence that a control operated once, or that it did not. No count of them says that a control is met: that is for an assessor to judge.';

/** A record of an exception or of a review, and the digest that the log knows it by. */
export type Beside = BesideRecord & { readonly digest: string };

/**
 * The report of a framework over the records that ended in the period, and over what was excepted and reviewed in it. The same records give
 * the same report.
 */
export function reportOn(
  framework: FrameworkName,
  records: readonly Sealed[],
  period: Period = {},
  beside: readonly Beside[] = [],
): Report {
  const { name, version, source, controls } = frameworks[framework];
  const within = inPeriod(records, period, ({ record }) => record.endedAt);
  const besides = inPeriod(beside, period, (any) => aboutOf(any).at);
  const listed = [...within.map(listedProcess), ...besides.map(listedBeside)].toSorted(byTime);
  return {
    framework,
    name,
    version,
    source,
    period: {
      from:
        period.since ??
        earliest(within[0]?.record.startedAt, besides[0] && aboutOf(besides[0]).at) ??
        period.until ??
        epoch,
      to: period.until ?? listed.at(-1)?.at ?? period.since ?? epoch,
    },
    records: listed,
    controls: controls.map((control) => controlReport(control, within, besides)),
    says: claim,
  };
}

const epoch = '1970-01-01T00:00:00.000Z';

type Listed = Report['records'][number];

function listedProcess({ record: { operation, endedAt: at, identity }, digest }: Sealed): Listed {
  return { operation, digest, at, identity };
}

function listedBeside({ digest, ...any }: Beside): Listed {
  const { name: operation, at, identity } = aboutOf(any);
  return { operation, digest, at, ...(identity !== undefined && { identity }) };
}

function byTime(one: Pick<Listed, 'at' | 'digest'>, other: Pick<Listed, 'at' | 'digest'>): number {
  return Date.parse(one.at) - Date.parse(other.at) || one.digest.localeCompare(other.digest);
}

function earliest(...instants: readonly (string | undefined)[]): string | undefined {
  return instants.filter((instant) => instant !== undefined).toSorted()[0];
}

function inPeriod<T extends { readonly digest: string }>(
  records: readonly T[],
  { since, until }: Period,
  endOf: (record: T) => string,
): T[] {
  const [from, to] = [since ? Date.parse(since) : -Infinity, until ? Date.parse(until) : Infinity];
  return records
    .map((each) => ({ each, at: endOf(each), digest: each.digest }))
    .filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= to)
    .toSorted(byTime)
    .map(({ each }) => each);
}

function controlReport(
  { id, token, title, shownBy, beyond }: Control,
  records: readonly Sealed[],
  beside: readonly Beside[],
): ControlReport {
  const all = shownBy.map((name) => (isBeside(name) ? besideReport(name, beside) : observationReport(name, records)));
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
  return { observation, that, method, ...apart(seen) };
}

function isBeside(name: ObservationName | BesideName): name is BesideName {
  return Object.hasOwn(besideObservations, name);
}

function besideReport(observation: BesideName, beside: readonly Beside[]): ObservationReport {
  const { that, method, of }: BesideObservation = besideObservations[observation];
  const seen = beside.flatMap((any) => {
    const found = of(any);
    const { name: operation, at } = aboutOf(any);
    return found ? [{ ...found, operation, digest: any.digest, at }] : [];
  });
  return { observation, that, method, ...apart(seen) };
}

function apart(
  seen: readonly (Shown & { readonly operated: boolean })[],
): Pick<ObservationReport, 'operated' | 'failed'> {
  const those = (wanted: boolean): Shown[] =>
    seen.flatMap(({ operated, ...shown }) => (operated === wanted ? [shown] : []));
  return { operated: those(true), failed: those(false) };
}
