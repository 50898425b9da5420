/** Every way to change a text or a record a little. Where there are too many, a spread of them that is the same in each run. */

/** Places in a text to flip: each of them where there are no more than `most`; else the first, the last, around each line, and a seeded spread. */
export function placesIn(text: string, most: number): number[] {
  if (text.length <= most) return Array.from({ length: text.length }, (_, at) => at);
  const lines = [...text.matchAll(/\n/g)].slice(0, most / 4).flatMap(({ index }) => [index, index + 1]);
  const places = new Set([0, text.length - 1, ...lines].filter((at) => at < text.length));
  const random = seeded(text.length);
  // One in each of as many parts of the same length, so that no part of the text is left out.
  const parts = most - places.size;
  for (let part = 0; part < parts; part += 1) places.add(Math.floor(((part + random()) * text.length) / parts));
  return [...places];
}

/** The text with the lowest bit of one character turned. */
export function flipped(text: string, at: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** A change somewhere in a value, and where, e.g. `gate.votes.0.key: another`. */
export interface Tampering<T> {
  readonly where: string;
  readonly value: T;
}

/** Every value below that is another, every member and element that is missing, every two elements that are swapped. */
export function tamperingsOf<T>(whole: T): Tampering<T>[] {
  return below(whole).map(({ where, value }) => ({ where, value: value as T }));
}

function below(value: unknown): Tampering<unknown>[] {
  if (Array.isArray(value)) {
    const inside = (value as unknown[]).flatMap((each, at) =>
      prefixed(at, below(each), (changed) => value.with(at, changed) as unknown[]),
    );
    const gone = value.map((_, at) => ({
      where: `${at}: gone`,
      value: value.filter((__, other) => other !== at) as unknown,
    }));
    const swapped = value.slice(1).map((each: unknown, at) => ({
      where: `${at}: swapped`,
      value: value.with(at, each).with(at + 1, value[at]) as unknown,
    }));
    return [...inside, ...gone, ...swapped.filter((one) => JSON.stringify(one.value) !== JSON.stringify(value))];
  }
  if (typeof value !== 'object' || value === null) return [{ where: 'another', value: other(value) }];
  return Object.entries(value).flatMap(([name, held]) => {
    const { [name]: _, ...rest } = value as Record<string, unknown>;
    return [
      { where: `${name}: gone`, value: rest },
      ...prefixed(name, below(held), (changed) => ({ ...value, [name]: changed })),
    ];
  });
}

function prefixed(
  name: string | number,
  all: readonly Tampering<unknown>[],
  around: (changed: unknown) => unknown,
): Tampering<unknown>[] {
  return all.map(({ where, value }) => ({
    where: /^(another|gone|swapped)$/.test(where) ? `${name}: ${where}` : `${name}.${where}`,
    value: around(value),
  }));
}

function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return `${String(value)}x`;
}
