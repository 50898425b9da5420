/** Sets what a target's log says against what our processes did, and says which of it none of them explains. Pure. */
import { BlockList, isIP } from 'node:net';
import { instant } from '../../../cli/words.js';
import type { ChangeEvent, LoginEvent, SessionEvent, TargetEvent } from './events.js';
import type { OurRecord, Tenancy } from './tenancy.js';

export interface Expectations {
  /** Tenure's own administrators at the target. */
  readonly administrators: readonly string[];
  /** Addresses and networks that logins may come from; none given is any. */
  readonly addresses: readonly string[];
  /** Application names that logins may have; none given is any. */
  readonly applications: readonly string[];
  /** How far apart the clocks of the target and of our workers may be. */
  readonly toleranceMs: number;
}

/** An event, and what explains it or why nothing does. */
export interface Judged {
  readonly event: TargetEvent;
  readonly explained: boolean;
  /** One sentence. */
  readonly why: string;
  /** The process that explains it, or the last that bears on it. */
  readonly operation?: string;
}

/** The name that every connection of ours gives itself. */
const ourApplication = 'tenure';

/** Judges every event. */
export function judge(events: readonly TargetEvent[], ours: OurRecord, expected: Expectations): readonly Judged[] {
  const rules = new Rules(ours, expected);
  return events.map((event) => rules.judge(event));
}

class Rules {
  private readonly networks: BlockList;

  constructor(
    private readonly ours: OurRecord,
    private readonly expected: Expectations,
  ) {
    this.networks = networksOf(expected.addresses);
  }

  judge(event: TargetEvent): Judged {
    const { explained, why, operation } = this.verdict(event);
    return { event, explained, why, ...(operation !== undefined && { operation }) };
  }

  private verdict(event: TargetEvent): Omit<Judged, 'event' | 'operation'> & { operation?: string | undefined } {
    switch (event.what) {
      case 'change':
        return this.change(event);
      case 'login':
        return this.login(event);
      case 'session':
        return this.session(event);
      default:
        return event satisfies never;
    }
  }

  private change(event: ChangeEvent) {
    const shift = this.shiftAt(event.at);
    const { user, application } = event;
    if (user !== undefined && !this.expected.administrators.includes(user)) {
      return {
        explained: false,
        why: `${user} is not an administrator of Tenure${shift ? `, though ${shift} ran` : ''}`,
      };
    }
    if (application !== undefined && application !== ourApplication) {
      return {
        explained: false,
        why: `it was done with ${application}, and not by a worker${shift ? `, though ${shift} ran` : ''}`,
      };
    }
    if (!shift) return { explained: false, why: 'no process of this identity ran' };
    const certain = user !== undefined && application !== undefined;
    return {
      explained: true,
      why: certain ? `done by ${shift}` : `${shift} ran; the log does not say who did it`,
      operation: shift,
    };
  }

  private login(event: LoginEvent) {
    const shift = this.shiftAt(event.at);
    if (shift && event.application === ourApplication) {
      return {
        explained: true,
        why: event.accepted ? `tried by ${shift}` : `proven to be refused by ${shift}`,
        operation: shift,
      };
    }
    if (!event.accepted) {
      // The name of the application is not in every log of a refusal.
      if (shift && event.application === undefined) {
        return {
          explained: true,
          why: `${shift} ran, which tries what must be refused; the log does not say who tried`,
          operation: shift,
        };
      }
      return { explained: false, why: `it was refused: ${event.answer ?? 'without a reason'}` };
    }
    return this.use(event, event.at, 'logged in');
  }

  private session(event: SessionEvent) {
    const atSight = this.use(event, event.at, 'was connected');
    return atSight.explained ? this.use(event, event.since, 'logged in') : atSight;
  }

  private use(event: LoginEvent | SessionEvent, at: string, did: string) {
    const { user } = event;
    const tenancy = this.tenancyAt(user, at);
    if (!tenancy) return this.untimely(user, at, did);
    const stranger = this.stranger(event);
    if (stranger !== undefined) return { explained: false, why: `${did} ${stranger}`, operation: tenancy.madeBy };
    return {
      explained: true,
      why: `with the credential that ${tenancy.madeBy ?? 'was there before the log began'}${tenancy.madeBy ? ' made' : ''}`,
      operation: tenancy.madeBy,
    };
  }

  private untimely(user: string, at: string, did: string) {
    const before = this.ours.tenancies
      .filter((one) => one.principal === user && one.to <= Date.parse(at))
      .toSorted((one, other) => other.to - one.to)[0];
    if (!before) return { explained: false, why: `${user} ${did}, and no process had made that login` };
    const ended = instant(new Date(before.to).toISOString());
    return {
      explained: false,
      why: `${user} ${did} after ${before.endedBy} had ended that login at ${ended}`,
      operation: before.endedBy,
    };
  }

  private stranger({ address, application }: LoginEvent | SessionEvent): string | undefined {
    const { addresses, applications } = this.expected;
    if (addresses.length > 0 && !(address !== undefined && this.isExpected(address)))
      return `from ${address ?? 'an address that the log does not name'}, which is not expected`;
    if (applications.length > 0 && !applications.includes(application ?? ''))
      return `as the application ${application ?? 'without a name'}, which is not expected`;
    return undefined;
  }

  private isExpected(address: string): boolean {
    const family = isIP(address);
    if (family === 0) return this.expected.addresses.includes(address);
    return this.networks.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  private shiftAt(at: string): string | undefined {
    const [time, { toleranceMs }] = [Date.parse(at), this.expected];
    return this.ours.shifts.findLast(({ from, to }) => time >= from - toleranceMs && time <= to + toleranceMs)
      ?.operation;
  }

  private tenancyAt(principal: string, at: string): Tenancy | undefined {
    const [time, { toleranceMs }] = [Date.parse(at), this.expected];
    return this.ours.tenancies.find(
      (one) => one.principal === principal && time >= one.from - toleranceMs && time <= one.to + toleranceMs,
    );
  }
}

function networksOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of addresses) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address);
    if (family === 0) continue;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return list;
}
