/** A stretch of time, milliseconds since the epoch: `from` belongs to it, `to` does not. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Sorts spans and joins those that overlap or touch. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else if (span.from < span.to) merged.push(span);
  }
  return merged;
}

/** What is left of `span` outside `holes`, which are merged already. */
export function subtractSpans(span: Span, holes: readonly Span[]): Span[] {
  const left: Span[] = [];
  let from = span.from;
  for (const hole of holes) {
    if (hole.to <= from || hole.from >= span.to) continue;
    if (hole.from > from) left.push({ from, to: hole.from });
    from = Math.max(from, hole.to);
  }
  if (from < span.to) left.push({ from, to: span.to });
  return left;
}

/** The span that holds an instant. */
export function spanAt(spans: readonly Span[], at: number): Span | undefined {
  return spans.find((span) => span.from <= at && at < span.to);
}
