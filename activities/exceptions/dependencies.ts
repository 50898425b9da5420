import type { Directory } from '../../src/domain/directory.js';
import type { Freeze, IdentityState } from '../../src/domain/identity.js';
import type { Proposal } from '../../src/domain/exception.js';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import type { ExceptionSettings } from '../../src/exceptions/options.js';
import type { Published } from '../../src/exceptions/published.js';
import type { Policy } from '../../src/policy/policy.js';
import type { Target } from '../../src/targets/target.js';
import type { OnRecord } from '../../src/trust/specs.js';
import type { Signer } from '../../src/trust/statements.js';

/** What exceptions need of other workflows. */
export interface Others {
  /** The state of an identity. Throws `InvalidRequest` where there is none, and retryably where it does not answer. */
  state(identity: string): Promise<IdentityState>;
  ask(identity: string, request: ChangeRequest): Promise<Answer>;
  /** Opens a proposal; false where one of this id was opened before. */
  open(proposal: Proposal): Promise<boolean>;
  /** How a proposal like this stands that is open now, or was closed after `since`; undefined where there is none. */
  proposedSince(identity: string, rule: string, since: Date): Promise<'open' | 'closed' | undefined>;
}

export interface ExceptionDependencies {
  readonly settings: ExceptionSettings;
  readonly published: Published;
  /** The directory as it is now: a key that was removed signs nothing any more. */
  loadDirectory(): Promise<Directory>;
  /** The policies as they are now. Throws retryably when they cannot be read. */
  loadPolicy(): Promise<Policy>;
  /** The operator's freezes as they are now, the same way. */
  loadFreezes(): Promise<readonly Freeze[]>;
  readonly others: Others;
  /** What this worker has on record about an identity: what its workflow says of it may be anybody's. */
  onRecord(identity: string): Promise<OnRecord>;
  target(name: string): Target;
  /** As whom this worker asks. Throws `InvalidRequest` where it has no key for that. */
  signer(): Promise<Signer>;
  readonly now?: () => Date;
}
