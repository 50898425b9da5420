/**
 * The comment on a role that says "this is ours", whose it is, and which process was the last to change it. It is the
 * fence: a change of an older process is refused by what it reads here. A role without it is never touched.
 */
import { TenureError } from '../../domain/errors.js';

export interface Mark {
  readonly identity: string;
  /** Two targets may be databases of one server, whose roles are shared. */
  readonly database: string;
  readonly kind: 'group' | 'login';
  /** Highest epoch that changed the identity here, and the operation that did. */
  readonly epoch: number;
  readonly operation: string;
  /** Login: the credential that it accepts, and since when by the server's clock. Gone when purged. */
  readonly version?: string;
  readonly since?: string;
  /** Group: an operation whose installation was undone, so that a late attempt of it changes nothing. */
  readonly undone?: string;
}

/** What the comments of an identity's roles begin with. */
export function markPrefix(identity: string): string {
  return `tenure:${JSON.stringify({ identity }).slice(0, -1)},`;
}

/** The comment for a mark; the identity comes first, so that {@link markPrefix} finds it. */
export function formatMark(mark: Mark): string {
  const { identity, ...rest } = mark;
  return `tenure:${JSON.stringify({ identity, ...rest })}`;
}

/** The mark in a comment; undefined when it is none of ours. */
export function parseMark(comment: string | null): Mark | undefined {
  if (!comment?.startsWith('tenure:{')) return undefined;
  try {
    const mark = JSON.parse(comment.slice('tenure:'.length)) as Partial<Mark>;
    const whole =
      typeof mark.identity === 'string' && typeof mark.epoch === 'number' && typeof mark.database === 'string';
    return whole ? (mark as Mark) : undefined;
  } catch {
    return undefined;
  }
}

/** Refuses an operation that a newer one has overtaken. */
export function checkFence(
  marks: readonly Mark[],
  subject: { identity: string; operation: string; epoch: number },
): void {
  const seen = Math.max(0, ...marks.map((mark) => mark.epoch));
  if (subject.epoch >= seen) return;
  throw new TenureError(
    'Fenced',
    `${subject.identity}: ${subject.operation} has epoch ${subject.epoch}, and epoch ${seen} has changed this identity already; nothing was changed`,
    { epoch: subject.epoch, seen },
  );
}
