/** What a target's own log says about the roles of one identity. */

interface Common {
  /** ISO 8601, by the target's clock. */
  readonly at: string;
  /** Who did it at the target: a login, as far as the log says. */
  readonly user?: string;
  readonly application?: string;
  readonly address?: string;
  /** `<file>:<line>`. */
  readonly source: string;
}

/** Somebody logged in, or tried to. */
export interface LoginEvent extends Common {
  readonly what: 'login';
  readonly user: string;
  readonly accepted: boolean;
  /** The server's words, where it refused. */
  readonly answer?: string;
}

/** A session was seen, in a sample. */
export interface SessionEvent extends Common {
  readonly what: 'session';
  readonly user: string;
  readonly since: string;
}

/** A role, its rights or what it owns was to be changed. */
export interface ChangeEvent extends Common {
  readonly what: 'change';
  readonly statement: string;
  readonly roles: readonly string[];
  /** The server refused it. */
  readonly failed: boolean;
}

export type TargetEvent = LoginEvent | SessionEvent | ChangeEvent;

/** What a log was able to tell. */
export interface Coverage {
  readonly first?: string;
  readonly last?: string;
  readonly lines: number;
  readonly unread: readonly string[];
  readonly unreadCount: number;
  /** It has lines about connections, and about statements. */
  readonly connections: boolean;
  readonly statements: boolean;
  /** Statements whose author the log does not name. */
  readonly anonymous: number;
}
