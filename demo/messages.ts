/** What the demo and its client program say to each other. No credential is ever in it. */

/** The connection's security, as the target's options say it. */
export type Tls = boolean | { readonly rejectUnauthorized: boolean };

/** Asked of the client. Each is answered once, with the same id. */
export type Question =
  /** Ends the phase, answers with its figures, and begins the next one. */
  | { readonly ask: 'phase'; readonly name: string }
  /** Opens a session with the current credential and keeps it open. */
  | { readonly ask: 'hold' }
  /** Tries to log in with every credential that was ever seen. */
  | { readonly ask: 'try all' }
  /** Looks for every password that was ever seen. */
  | { readonly ask: 'scan'; readonly files: readonly string[]; readonly transcript: string }
  /** Sends no more requests. */
  | { readonly ask: 'rest' };

export interface Answers {
  phase: PhaseFigures;
  hold: { readonly principal: string };
  'try all': Tried;
  scan: ScanFigures;
  rest: PhaseFigures;
}

export type ToClient = Question & { readonly id: number };

export type FromClient =
  | { readonly event: 'ready' }
  | { readonly event: 'hold ended'; readonly at: number; readonly code: string }
  | { readonly event: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly event: 'unable'; readonly id: number; readonly why: string };

/** The requests that began in a phase. Times are milliseconds, instants milliseconds since 1970. */
export interface PhaseFigures {
  readonly phase: string;
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
  /** Of the successful ones, from the moment that each was due. */
  readonly p50: number;
  readonly p99: number;
  /** Why requests failed, e.g. `login 28000`, and how many did. */
  readonly failures: Readonly<Record<string, number>>;
  /** Requests for each login that was used. */
  readonly logins: Readonly<Record<string, number>>;
  /** When the last successful request of the phase began. */
  readonly lastGoodAt?: number;
  /** When the first request of the phase failed. */
  readonly firstFailedAt?: number;
  /** When the first login of the phase was refused. */
  readonly firstRefusedAt?: number;
}

export interface Tried {
  readonly tried: number;
  /** Names of the logins that were let in. */
  readonly accepted: readonly string[];
  readonly codes: readonly string[];
}

export interface ScanFigures {
  readonly passwords: number;
  readonly files: number;
  /** Places where a password was found. */
  readonly hits: readonly string[];
  /** Whether a password that was planted in a copy of the first file was found. */
  readonly findsPlanted: boolean;
}
