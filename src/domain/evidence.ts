/** One record for each process: what is sealed, and what everything that reads it later relies on. Plain JSON. */
import type { Decision } from './decision.js';
import type { Attested, Party } from './directory.js';
import type { ProcessPlan } from './plan.js';
import type { GateState, ProcessResult, StageState } from './process.js';
import type { ChangeRequest } from './request.js';

/** The `predicateType` of the in-toto Statement that carries the record. */
export const processPredicate = 'urn:tenure:evidence:process:v1';

/** The predicate. Its subject is the plan, by digest, named by the operation. */
export interface ProcessRecord extends ProcessResult {
  readonly v: 1;
  readonly identity: string;
  /** The run of the workflow. A run that was reset is another one, with a record of its own. */
  readonly run?: string;
  /** Who asked, as claimed and signed, and as verified. */
  readonly request: ChangeRequest;
  readonly requester?: Attested;
  readonly plan?: ProcessPlan;
  /** What policy said at first, and what it said when everything that it asks for was there. */
  readonly decision?: Decision;
  /** The gate with every vote and its signature, and the rounds before it. */
  readonly gate?: GateState;
  readonly rounds?: readonly GateState[];
  readonly stages: readonly StageState[];
  /** What ran: the version of Tenure, `sha256:<hex>` of the workflow bundle, and of Node. */
  readonly code: { readonly version: string; readonly workflows: string; readonly node: string };
  /** The history up to the sealing, exported as JSON: its digest, the run, the number of its events. Absent where it could not be read. */
  readonly history?: { readonly digest: string; readonly run: string; readonly events: number };
  /** Whose signatures are in it, as the directory had them when each was received. */
  readonly signers?: readonly Party[];
  /** `sha256:<hex>` of the directory at the time of sealing. */
  readonly directory?: string;
  /** `sha256:<hex>` of the permit that the worker found for this run when it sealed the record. */
  readonly permit?: string;
}
