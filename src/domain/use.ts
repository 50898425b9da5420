/**
 * Which rights of an identity were seen in use, look after look. Only what was watched without a gap, long enough, and never seen is
 * unused: whatever cannot be told is taken for use. Pure.
 */

/** Use at one look, by right. */
export interface UseSeen {
  /** Is another one as soon as something may have been lost since the last look. */
  readonly history: string;
  /** Of the whole identity; it falls only where something was lost. */
  readonly total: number;
  readonly rights: Readonly<Record<string, { readonly calls: number; readonly isInUse: boolean }>>;
}

/** What is remembered between looks. */
export interface UseRecord {
  readonly v: 1;
  readonly identity: string;
  readonly target: string;
  readonly history: string;
  readonly total: number;
  readonly rights: Readonly<Record<string, RightWatched>>;
}

export interface RightWatched {
  /** Since when it is watched without a gap, ISO 8601. */
  readonly since: string;
  /** When a look found that it had been used since the one before. */
  readonly seen?: string;
  readonly calls: number;
}

/** A right that nobody was seen to use. */
export interface UnusedRight {
  readonly right: string;
  /** Watched, or last seen in use, at this moment. */
  readonly since: string;
}

/** What is known of use, for evidence. */
export type UseProof =
  { readonly known: true; readonly unused: readonly UnusedRight[] } | { readonly known: false; readonly why: string };

/** What is remembered after a look. Where the target, or what it remembers, is another one, the watch begins anew. */
export function afterLook(
  before: UseRecord | undefined,
  of: Pick<UseRecord, 'identity' | 'target'>,
  { history, total, rights }: UseSeen,
  now: string,
): UseRecord {
  const isWhole = before?.target === of.target && before.history === history && before.total <= total;
  const watched = Object.entries(rights).map(([right, { calls, isInUse }]) => {
    const last = isWhole && Object.hasOwn(before.rights, right) ? before.rights[right] : undefined;
    const since = last?.since ?? now;
    const isSeen = isInUse || (last !== undefined && last.calls !== calls);
    const seen = isSeen ? now : last?.seen;
    return [right, { since, calls, ...(seen !== undefined && { seen }) }] as const;
  });
  return { v: 1, identity: of.identity, target: of.target, history, total, rights: Object.fromEntries(watched) };
}

/** Rights that were watched for `afterMs` and not seen in use. */
export function unusedIn({ rights }: UseRecord, afterMs: number, now: Date): UnusedRight[] {
  return Object.entries(rights)
    .map(([right, { since, seen }]) => ({ right, since: seen ?? since }))
    .filter(({ since }) => now.getTime() - Date.parse(since) >= afterMs)
    .toSorted((one, other) => (one.right < other.right ? -1 : 1));
}
