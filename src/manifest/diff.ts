/** Compares what manifests declare with what is. Pure: nothing is asked and nothing is touched. */
import type { IdentitySpec, IdentityState } from '../domain/identity.js';
import { changesBetween } from './changes.js';
import type { FieldChange } from './changes.js';

export type { FieldChange } from './changes.js';

/**
 * What applying does. `provision`: makes a credential. `rotate`: one rotation brings the change about. `amend`: only what is
 * known about the identity changes. `revoked`: it was revoked, and a pipeline that applies what is in Git must not undo what a
 * responder did; provisioned only with `--reinstate`. `vanished`: in no manifest any more; offboarded only with `--prune`.
 */
export type DiffAction = 'provision' | 'rotate' | 'amend' | 'unchanged' | 'revoked' | 'vanished';

/** What becomes of one identity. */
export interface IdentityDiff {
  readonly name: string;
  readonly action: DiffAction;
  /** One sentence: what applying does. */
  readonly sentence: string;
  readonly changes: readonly FieldChange[];
  /** The change waits at a gate until people have approved it. */
  readonly needsApproval: boolean;
  /** How many people, and from which groups one at least. */
  readonly approval?: Pick<Foreseen, 'approvals' | 'groups'>;
  /** Policy would refuse it as it is: why, and what to change. */
  readonly refusal?: string;
  /** Why it cannot be done yet, and the command that helps. */
  readonly blocked?: string;
  /** What will be; absent when it vanished. */
  readonly spec?: IdentitySpec;
}

export interface ManifestDiff {
  /** In the order of the manifests; what vanished comes last, by name. */
  readonly identities: readonly IdentityDiff[];
  readonly counts: Readonly<Record<DiffAction, number>>;
}

/** What policy would answer if this were asked now. */
export interface Foreseen {
  readonly approvals: number;
  readonly groups: readonly string[];
  readonly refusal?: string;
}

/** Foresees what policy says to a change. `spec`: what will be, or what goes. */
export type Foresee = (
  kind: 'provision' | 'rotate' | 'amend' | 'offboard',
  spec: IdentitySpec,
  state: IdentityState | undefined,
) => Foreseen;

export interface DiffOptions {
  /** Without it nothing is said of approvals. */
  readonly foresee?: Foresee;
  /** What vanished is to be offboarded. */
  readonly prune?: boolean;
  /** What was revoked is to be provisioned again. */
  readonly reinstate?: boolean;
  /** What is as declared is to be rotated all the same, which tells the worker what it is declared as. */
  readonly rotate?: boolean;
}

type Actual = ReadonlyMap<string, IdentityState>;

/** What applying the declared identities would do to the actual ones. */
export function diffManifests(
  declared: readonly IdentitySpec[],
  actual: Actual,
  options: DiffOptions = {},
): ManifestDiff {
  const names = new Set(declared.map(({ name }) => name));
  const isGone = ({ status }: IdentityState) => status === 'offboarded' || status === 'absent';
  const vanished = [...actual.values()]
    .filter((state) => !names.has(state.name) && !isGone(state))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const identities = [
    ...declared.map((spec) => diffOne(spec, actual.get(spec.name), options)),
    ...vanished.map((state) => vanishedOne(state, options)),
  ];
  const counts = { provision: 0, rotate: 0, amend: 0, unchanged: 0, revoked: 0, vanished: 0 };
  for (const { action } of identities) counts[action] += 1;
  return { identities, counts };
}

function diffOne(spec: IdentitySpec, state: IdentityState | undefined, options: DiffOptions): IdentityDiff {
  const before = state?.spec;
  const changes = before ? changesBetween(before, spec) : [];
  const hasCredential = state !== undefined && (state.status === 'active' || state.current !== undefined);
  const isLeft = state?.status === 'revoked' && options.reinstate !== true;
  const action = hasCredential ? strongest(changes, options) : isLeft ? 'revoked' : 'provision';
  return {
    name: spec.name,
    action,
    sentence: action === 'provision' ? provisionSentence(spec, state) : sentences[action],
    changes,
    ...(action === 'unchanged' || action === 'revoked' ? ungated : foreseen(options, action, spec, state)),
    ...blockedBy(state),
    spec,
  };
}

function strongest(changes: readonly FieldChange[], { rotate = false }: DiffOptions): 'rotate' | 'amend' | 'unchanged' {
  if (rotate || changes.some(({ effect }) => effect === 'rotate')) return 'rotate';
  return changes.length > 0 ? 'amend' : 'unchanged';
}

const sentences: Readonly<Record<'rotate' | 'amend' | 'unchanged' | 'revoked', string>> = {
  rotate: 'one rotation makes a credential as declared and then ends the old one where it was',
  amend: 'what is known about it changes; its credential and its rights stay as they are',
  unchanged: 'nothing changes',
  revoked: 'it was revoked, and stays so; tenure apply --reinstate makes a new credential',
};

function provisionSentence({ target, deliver }: IdentitySpec, state: IdentityState | undefined): string {
  const again =
    state?.status === 'revoked' ? 'it was revoked; ' : state?.status === 'offboarded' ? 'it was offboarded; ' : '';
  return `${again}a credential is made at ${target.name}, proven, and delivered to ${deliver.map(({ store, path }) => `${store}:${path}`).join(', ')}`;
}

type Gated = Pick<IdentityDiff, 'needsApproval' | 'approval' | 'refusal'>;

const ungated: Gated = { needsApproval: false };

function foreseen({ foresee }: DiffOptions, ...asked: Parameters<Foresee>): Gated {
  const answer = foresee?.(...asked);
  if (!answer) return ungated;
  const { approvals, groups, refusal } = answer;
  return {
    needsApproval: approvals > 0,
    ...(approvals > 0 && { approval: { approvals, groups } }),
    ...(refusal !== undefined && { refusal }),
  };
}

function blockedBy(state: IdentityState | undefined): { blocked?: string } {
  if (state?.status === 'needs-operator') return { blocked: `it needs an operator first: tenure show ${state.name}` };
  if (state?.running) return { blocked: `it waits until ${state.running.operation} has ended` };
  return {};
}

function vanishedOne(state: IdentityState, options: DiffOptions): IdentityDiff {
  const { name, spec } = state;
  const { prune = false } = options;
  return {
    name,
    action: 'vanished',
    sentence: prune
      ? 'it is in no manifest any more: every credential is revoked, and it is removed from its target and stores'
      : `it is in no manifest any more, and is left as it is; tenure apply --prune offboards it`,
    changes: [],
    ...(prune && spec ? foreseen(options, 'offboard', spec, state) : ungated),
    ...blockedBy(state),
  };
}
