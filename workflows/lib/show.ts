import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import type { IdentitySpec, IdentityState } from '../../src/domain/identity.js';
import type { ProcessState, StageName } from '../../src/domain/process.js';
import { keyword, keywordList } from '../../src/domain/tags.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { renderIdentity, renderProcess } from './render.js';

/** What operators filter by. Each upsert is one event, so it happens only where a process waits, parks or ends. */
interface Visible {
  readonly status: string;
  readonly stage?: StageName | undefined;
  readonly gate?: string | undefined;
}

/** Brings what the Temporal UI shows of a process up to date. */
export function show(state: ProcessState, visible?: Visible): void {
  setCurrentDetails(renderProcess(state));
  if (!visible) return;
  upsertSearchAttributes([
    { key: searchAttributes.status, value: visible.status },
    ...(visible.stage === undefined ? [] : [{ key: searchAttributes.stage, value: visible.stage }]),
    ...(visible.gate === undefined ? [] : [{ key: searchAttributes.gate, value: visible.gate }]),
  ]);
}

/** The same for an identity; `isSettled` when a process has just ended. */
export function showIdentity(state: IdentityState, isSettled: boolean): void {
  setCurrentDetails(renderIdentity(state));
  if (!isSettled || !state.spec) return;
  const next = state.nextRotationAt;
  upsertSearchAttributes([
    ...attributesOf(state.spec, state.status),
    { key: searchAttributes.nextRotation, value: next === undefined ? null : new Date(next) },
  ]);
}

/** The search attributes that follow from a declared identity. */
export function attributesOf(spec: IdentitySpec, status: string, tags: readonly string[] = []): SearchAttributePair[] {
  return [
    { key: searchAttributes.kind, value: spec.kind },
    { key: searchAttributes.owner, value: keyword(spec.owner.person) },
    { key: searchAttributes.target, value: keyword(spec.target.name) },
    { key: searchAttributes.environment, value: keyword(spec.environment) },
    { key: searchAttributes.status, value: status },
    { key: searchAttributes.tags, value: keywordList([...tags, ...tagsOf(spec)]) },
  ];
}

function tagsOf({ owner, rotation, tags }: IdentitySpec): string[] {
  return [
    ...(owner.team === undefined ? [] : [`team:${owner.team}`]),
    `policy:${rotation.name}`,
    ...Object.entries(tags ?? {}).map(([key, value]) => `${key}:${value}`),
  ];
}
