/**
 * Whether what was sent is a request at all. The manifest's own schema has checked what comes by `tenure apply`; a signal may hold
 * anything, and what gets further than this is read by workflows without looking twice. Pure.
 */
import { bytesOf } from './clip.js';
import { longestElevationMs, shortestElevationMs } from './elevation.js';
import { identityKinds, strategies, type Consumer, type IdentitySpec } from './identity.js';
import { processKinds } from './process.js';
import type { ChangeRequest } from './request.js';
import type { Signed } from './statement.js';
import { bytesOfTags, longestTags, mostTags } from './tags.js';

/** Bytes of a whole request as JSON: sixteen of them, and as many emergencies, wait in a state that Temporal takes up to 2 MB of. */
export const largestRequest = 36_864;
/** Bytes of a declared identity as JSON: what is left of a request is for who asks and why. */
export const largestSpec = 29_000;
const longestName = 200;
const longestReason = 2_000;
/** Durations beyond this are mistakes, and no date can be reckoned from the worst of them. Milliseconds. */
const longestMs = 10 * 366 * 24 * 60 * 60_000;
const names = '1 to 200 printable characters';

/** One thing that has to hold; each may rely on those before it. */
type Check<T> = readonly [field: string, expected: string, holds: (value: T) => boolean];

/** What is wrong with it, as `field: expected …`; undefined where nothing is. */
export function whatIsMalformed(request: ChangeRequest): string | undefined {
  return firstFailing(requestChecks, request) ?? (request.spec && firstFailing(specChecks, request.spec, 'spec.'));
}

const kinds: readonly string[] = [...processKinds, 'amend'];

const requestChecks: readonly Check<ChangeRequest>[] = [
  ['request', 'a request, as tenure sends it', isObject],
  ['id', names, ({ id }) => isName(id)],
  ['kind', `one of ${kinds.join(', ')}`, ({ kind }) => kinds.includes(kind)],
  ['requester', `who asks, ${names}`, ({ requester }) => isName(requester)],
  [
    'reason',
    `at most ${longestReason} bytes of text`,
    ({ reason }) => reason === undefined || isText(reason, longestReason),
  ],
  ...(['emergency', 'repair', 'onlyIfDue'] as const).map((flag): Check<ChangeRequest> => [
    flag,
    'true or false',
    (request) => isOptional(request[flag], isFlag),
  ]),
  ['request', `at most ${largestRequest} bytes of JSON: shorten the scope or the consumers`, isSmall],
  ['spec', 'a whole identity, as `tenure apply` sends it', ({ spec }) => isOptional(spec, isObject)],
  ['emergency', 'a revoke: nothing else can be an emergency', ({ emergency, kind }) => !emergency || kind === 'revoke'],
  ['onBehalfOf', names, ({ onBehalfOf }) => isOptional(onBehalfOf, isName)],
  ['ticket', names, ({ ticket }) => isOptional(ticket, isName)],
  ['signed', 'a signed statement, as tenure makes it', ({ signed }) => isOptional(signed, isSigned)],
  ['advance', 'at most 10 signed approvals', ({ advance }) => isOptional(advance, (all) => isList(all, 10, isSigned))],
  ['elevation', 'what is lent, with an elevate and with nothing else', isElevation],
  [
    'elevation.forMs',
    'one second to four hours, in milliseconds',
    ({ elevation }) => isOptional(elevation, ({ forMs }) => isElevationTime(forMs)),
  ],
  ['elevation.incident', names, ({ elevation }) => isOptional(elevation, ({ incident }) => isName(incident))],
  ['reason', 'why, with an elevate', ({ kind, reason }) => kind !== 'elevate' || (reason ?? '').trim() !== ''],
  ['spec', 'none with an elevate: it declares nothing', ({ kind, spec }) => kind !== 'elevate' || spec === undefined],
  ['repair', 'a validate: nothing else repairs', ({ repair, kind }) => !repair || kind === 'validate'],
];

const specChecks: readonly Check<IdentitySpec>[] = [
  ['name', names, ({ name }) => isName(name)],
  ['kind', `one of ${identityKinds.join(', ')}`, ({ kind }) => identityKinds.includes(kind)],
  [
    'owner',
    `a person and perhaps a team, each ${names}`,
    ({ owner }) => isObject(owner) && isName(owner.person) && isOptional(owner.team, isName),
  ],
  ['purpose', `at most ${longestReason} bytes of text`, ({ purpose }) => isText(purpose, longestReason)],
  ['environment', names, ({ environment }) => isName(environment)],
  [
    'dataClass',
    'public, internal, confidential or regulated',
    ({ dataClass }) => isOneOf(dataClass, ['public', 'internal', 'confidential', 'regulated']),
  ],
  ['target', 'a name and a scope', ({ target }) => isObject(target) && isName(target.name) && isObject(target.scope)],
  [
    'deliver',
    '1 to 20 places, each a store and a path',
    ({ deliver }) => isList(deliver, 20, isDelivery) && deliver.length > 0,
  ],
  [
    'consumers',
    'at most 100, each with a name and a way to tell it',
    ({ consumers }) => isList(consumers, 100, isConsumer),
  ],
  ['rotation', 'a rotation policy', ({ rotation }) => isObject(rotation)],
  ['rotation.name', names, ({ rotation }) => isName(rotation.name)],
  ['rotation.strategy', `one of ${strategies.join(', ')}`, ({ rotation }) => strategies.includes(rotation.strategy)],
  ['rotation.everyMs', 'milliseconds, at most ten years', ({ rotation }) => isOptional(rotation.everyMs, isMs)],
  ['rotation.cron', 'an expression and a time zone', ({ rotation }) => isOptional(rotation.cron, isCron)],
  ['rotation.window', names, ({ rotation }) => isOptional(rotation.window, (window) => isText(window, 1_200))],
  ['rotation.graceMs', 'milliseconds, at most ten years', ({ rotation }) => isMs(rotation.graceMs)],
  ['rotation.jitterMs', 'milliseconds, at most ten years', ({ rotation }) => isMs(rotation.jitterMs)],
  [
    'rotation.whenInUse',
    'extend, ask or go-on',
    ({ rotation }) => isOneOf(rotation.whenInUse, ['extend', 'ask', 'go-on']),
  ],
  [
    'rotation.whenNoWindow',
    'skip, ask or break',
    ({ rotation }) => isOneOf(rotation.whenNoWindow, ['skip', 'ask', 'break']),
  ],
  ['rotation.whenNotTaken', 'unwind or park', ({ rotation }) => isOneOf(rotation.whenNotTaken, ['unwind', 'park'])],
  [
    'rotation.freeze',
    'at most 100 periods, each with from, to and a reason',
    ({ rotation }) => isList(rotation.freeze, 100, isFreeze),
  ],
  ['tags', `at most ${mostTags} texts, ${longestTags} bytes in all`, ({ tags }) => isTags(tags)],
];

function firstFailing<T>(checks: readonly Check<T>[], value: T, prefix = ''): string | undefined {
  const failing = checks.find(([, , holds]) => !holds(value));
  return failing && `${prefix}${failing[0]}: expected ${failing[1]}`;
}

function isSmall(request: ChangeRequest): boolean {
  return bytesOf(JSON.stringify(request)) <= largestRequest;
}

function isDelivery({ store, path }: IdentitySpec['deliver'][number]): boolean {
  return isName(store) && isName(path);
}

function isConsumer({ name, notify, after, timeoutMs }: Consumer): boolean {
  return (
    isName(name) &&
    isNotify(notify) &&
    isOptional(after, (earlier) => Array.isArray(earlier) && earlier.length <= 50 && earlier.every(isName)) &&
    isOptional(timeoutMs, isMs)
  );
}

/** Exactly one of the ways. What each of them needs, the activity that uses it looks at. */
function isNotify(notify: Consumer['notify']): boolean {
  if (!isObject(notify) || Object.keys(notify).length !== 1) return false;
  if ('webhook' in notify) return isText(notify.webhook, 8_000);
  if ('command' in notify) return Array.isArray(notify.command) && notify.command.every((word) => isText(word, 8_000));
  if ('file' in notify) return isObject(notify.file) && isText(notify.file.path, 4_000) && isName(notify.file.format);
  return 'ack' in notify && notify.ack === 'manual';
}

function isElevation({ elevation, kind }: ChangeRequest): boolean {
  if (kind !== 'elevate') return elevation === undefined;
  return isObject(elevation) && isObject(elevation?.scope);
}

function isElevationTime(forMs: number): boolean {
  return Number.isInteger(forMs) && forMs >= shortestElevationMs && forMs <= longestElevationMs;
}

function isSigned({ statement, signature }: Signed): boolean {
  return isText(statement, 8_000) && isText(signature, 8_000);
}

function isCron({ expression, timezone }: { expression: string; timezone: string }): boolean {
  return isName(expression) && isName(timezone);
}

function isFreeze({ from, to, reason }: IdentitySpec['rotation']['freeze'][number]): boolean {
  return isInstant(from) && isInstant(to) && isText(reason, longestReason);
}

function isInstant(value: unknown): boolean {
  return isName(value) && !Number.isNaN(Date.parse(value as string));
}

function isTags(tags: IdentitySpec['tags']): boolean {
  return (
    isObject(tags) &&
    Object.keys(tags).length <= mostTags &&
    Object.entries(tags).every(([key, value]) => isName(key) && typeof value === 'string') &&
    bytesOfTags(tags) <= longestTags
  );
}

/** Without control characters and halves of characters, which a visibility store may refuse for good. */
function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= longestName && !unprintable.test(value);
}

// oxlint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f]|\p{Surrogate}/u;

function isText(value: unknown, max: number): boolean {
  return typeof value === 'string' && value.length <= max && bytesOf(value) <= max;
}

function isMs(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= longestMs;
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isOneOf(value: unknown, known: readonly string[]): boolean {
  return typeof value === 'string' && known.includes(value);
}

function isOptional<T>(value: T | undefined, holds: (value: T) => boolean): boolean {
  return value === undefined || (value !== null && holds(value));
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList<T>(value: readonly T[], most: number, holds: (item: T) => boolean): boolean {
  return Array.isArray(value) && value.length <= most && value.every((item: T) => isObject(item) && holds(item));
}
