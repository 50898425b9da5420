/** When processes of ours were at work on an identity, and when each of its logins was to be accepted: from its records. Pure. */
import type { ProcessRecord } from '../../../domain/evidence.js';
import { makesCredential } from '../../../domain/process.js';

/** A process at work. Milliseconds since 1970. */
export interface Shift {
  readonly operation: string;
  readonly from: number;
  readonly to: number;
}

/** A login that was to be accepted, by which process it was made and by which it was ended. */
export interface Tenancy {
  readonly principal: string;
  readonly from: number;
  readonly to: number;
  readonly madeBy?: string;
  readonly endedBy?: string;
}

export interface OurRecord {
  readonly shifts: readonly Shift[];
  readonly tenancies: readonly Tenancy[];
  /** Every login and role name that the records name. */
  readonly principals: ReadonlySet<string>;
}

/** Reads the records of one identity. */
export function ourRecordOf(records: readonly ProcessRecord[]): OurRecord {
  const inOrder = records.toSorted((one, other) => Date.parse(one.startedAt) - Date.parse(other.startedAt));
  const book = new Book();
  for (const record of inOrder) book.take(record);
  const shifts = inOrder.map(({ operation, startedAt, endedAt }) => ({
    operation,
    from: Date.parse(startedAt),
    to: Date.parse(endedAt),
  }));
  return { shifts, tenancies: book.tenancies, principals: new Set(book.tenancies.map(({ principal }) => principal)) };
}

type Open = Omit<Tenancy, 'to' | 'endedBy'>;

class Book {
  private readonly open = new Map<string, Open>();
  private readonly closed: Tenancy[] = [];

  get tenancies(): readonly Tenancy[] {
    return [...this.closed, ...[...this.open.values()].map((tenancy) => ({ ...tenancy, to: Infinity }))];
  }

  take(record: ProcessRecord): void {
    const before = record.plan?.from?.principal;
    // What was there before the log began was made by nobody that we know.
    if (before !== undefined && !this.knows(before)) this.open.set(before, { principal: before, from: -Infinity });
    const made = madeBy(record);
    if (made) {
      // In place, the same login takes another credential.
      this.close(made.principal, made.from, record.operation);
      this.open.set(made.principal, made);
    }
    for (const principal of this.open.keys())
      if (!isAlive(principal, record)) this.close(principal, endOf(principal, record), record.operation);
  }

  private knows(principal: string): boolean {
    return this.open.has(principal) || this.closed.some((one) => one.principal === principal);
  }

  private close(principal: string, to: number, endedBy: string): void {
    const tenancy = this.open.get(principal);
    if (!tenancy) return;
    this.open.delete(principal);
    this.closed.push({ ...tenancy, to, endedBy });
  }
}

function madeBy(record: ProcessRecord): Open | undefined {
  const { after, operation, kind } = record;
  const made = [after.current, ...(after.previous ?? [])].find((one) => one?.version === operation);
  if (!made || !makesCredential(kind)) return undefined;
  const installed = record.stages.find(({ name }) => name === 'install')?.startedAt ?? record.startedAt;
  return { principal: made.principal, from: Date.parse(installed), madeBy: operation };
}

function isAlive(principal: string, { after }: ProcessRecord): boolean {
  return [after.current, ...(after.previous ?? [])].some((one) => one?.principal === principal);
}

function endOf(principal: string, { proofs, endedAt }: ProcessRecord): number {
  const { retired } = proofs;
  return Date.parse(retired?.principals.includes(principal) ? retired.at : endedAt);
}
