/** Changes what is right a little, at random and repeatably: bytes, pieces, JSON and numbers. */

type Random = (below: number) => number;

/** Gives one mutant after the other, made of these seeds; now and then a seed itself. */
export function mutants(seed: number, seeds: readonly string[]): () => string {
  const random = randomFrom(seed);
  const pick = (): string => seeds[random(seeds.length)]!;
  return () => {
    let text = pick();
    for (let changes = random(5); changes > 0; changes -= 1)
      text = mutations[random(mutations.length)]!(text, random, pick);
    return text.slice(0, 20_000);
  };
}

const mutations: readonly ((text: string, random: Random, other: () => string) => string)[] = [
  // A bit of a character.
  (text, random) => at(text, random, 1, (piece) => String.fromCharCode((piece.charCodeAt(0) || 0) ^ (1 << random(8)))),
  // Any character.
  (text, random) => at(text, random, 1, () => String.fromCharCode(random(random(4) === 0 ? 65_536 : 128))),
  // A piece left out, doubled, turned around.
  (text, random) => at(text, random, random(30), () => ''),
  (text, random) => at(text, random, random(30), (piece) => piece + piece),
  (text, random) => at(text, random, random(30), (piece) => piece.split('').toReversed().join('')),
  // Cut, or grown.
  (text, random) => text.slice(0, random(text.length + 1)),
  (text, random) => text + text.slice(random(text.length + 1)),
  // The first part of one and the last of another.
  (text, random, other) => text.slice(0, random(text.length + 1)) + other().slice(-random(text.length + 1)),
  // Something with a meaning, put in or in place of something.
  (text, random) => at(text, random, 0, () => words[random(words.length)]!),
  (text, random) => at(text, random, random(12), () => words[random(words.length)]!),
  // Lengths in front of what they are the length of.
  (text, random) => at(text, random, 4, () => lengths[random(lengths.length)]!),
  asJson((fields, random) => fields.toSorted(() => random(3) - 1)),
  asJson((fields, random) => fields.filter((_, index) => index !== random(fields.length))),
  asJson((fields, random) => [...fields, fields[random(fields.length)] ?? ['a', 1]]),
  asJson((fields, random) =>
    fields.map(([name, value]) => [name, random(fields.length) === 0 ? values[random(values.length)] : value]),
  ),
  asJson((fields, random) => [...fields, [words[random(words.length)]!, values[random(values.length)]]]),
];

const words = [
  '__proto__',
  'constructor',
  'toString',
  '\\u0000',
  '\\ud800',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '.',
  '..',
  '\n',
  '\r\n',
  '\t',
  ' ',
  '=',
  'null',
  'true',
  '-0',
  '1e999',
  '1.0',
  '9007199254740993',
  'tenure',
  'git',
  'SSHSIG',
  'sha1',
  'sha256',
  'sha512',
  'ssh-rsa',
  'ssh-ed25519',
  'rsa-sha2-256',
  'rsa-sha2-512',
  'sk-ssh-ed25519@openssh.com',
  'ssh-ed25519-cert-v01@openssh.com',
  '-----BEGIN SSH SIGNATURE-----\n',
  '\n-----END SSH SIGNATURE-----\n',
  'tenure/decision@v1',
  'approve',
  'sha256:',
  '2026-03-01T12:00:00.000Z',
  '2026-03-01T12:00:00Z',
  'ada@example.com',
  'grace@example.com',
  '\u202e',
  '\u200b',
  '\ufeff',
  'é',
  'e\u0301',
  '𝒜',
  '\ud800',
] as const;

const lengths = ['\0\0\0\0', '\0\0\0\x01', '\0\0\0 ', '\x7fÿÿÿ', 'ÿÿÿÿ', '\x80\0\0\0', '\0\x01\0\0'] as const;

const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  ['a', 'a'],
  { a: {} },
  'ada@example.com',
  '2026-03-01T12:00:00.000Z',
];

/** Changes the fields of an object, if it is one. */
function asJson(change: (fields: [string, unknown][], random: Random) => [string, unknown][]) {
  return (text: string, random: Random): string => {
    try {
      const value = JSON.parse(text) as unknown;
      if (typeof value !== 'object' || value === null) return text;
      const fields = change(Object.entries(value), random);
      return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`).join(',')}}`;
    } catch {
      return text;
    }
  };
}

function at(text: string, random: Random, length: number, change: (piece: string) => string): string {
  const start = random(text.length + 1);
  return text.slice(0, start) + change(text.slice(start, start + length)) + text.slice(start + length);
}

/** A small generator (xorshift32), so that a seed gives the same inputs again. */
function randomFrom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return below <= 0 ? 0 : (state >>> 0) % below;
  };
}
