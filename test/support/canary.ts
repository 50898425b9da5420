/**
 * Secrets that are easy to recognise, and the search for them: raw, JSON-escaped and URL-encoded, each of these also in
 * hex, base64 and base64url at every alignment. What is found is named by place, form and secret, and never quoted.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Material } from '../../src/stores/store.js';

/** Stands in every planted secret. It has what has to be escaped: a quote, a slash, a plus, a blank and an ampersand. */
export const marker = 'kAn"4ry/+ &Zq7';

/** A secret that is searched. */
export interface Canary {
  readonly name: string;
  readonly secret: string;
}

/** A place where a secret was found. */
export interface Finding {
  readonly place: string;
  readonly secret: string;
  readonly form: string;
}

/** A random secret with the marker in it. */
export function canarySecret(): string {
  return `${marker}${randomBytes(18).toString('base64url')}`;
}

/** The same material with a password that carries the marker, wherever the password stands in it. */
export function withCanary(material: Material): Material {
  const { password = '' } = material;
  const planted = `${marker}${password}`;
  const replaced = (text: string): string =>
    text === password ? planted : text.replace(encodeURIComponent(password), encodeURIComponent(planted));
  return Object.fromEntries(Object.entries(material).map(([key, text]) => [key, replaced(text)]));
}

const chunkBytes = 4 << 20;

/** Searches bytes, files, folders and running programs for planted secrets. */
export class CanaryScan {
  readonly findings: Finding[] = [];
  /** How much was looked at, bytes. */
  scanned = 0;
  private readonly forms: readonly { secret: string; form: string; bytes: Buffer }[];
  private readonly longest: number;
  /** Process id → arguments, as they were when last looked at. */
  private readonly programs = new Map<string, Buffer>();

  constructor(canaries: readonly Canary[]) {
    this.forms = canaries.flatMap(({ name, secret }) => formsOf(secret).map((form) => ({ secret: name, ...form })));
    this.longest = Math.max(...this.forms.map(({ bytes }) => bytes.length));
  }

  text(place: string, text: string): void {
    this.bytes(place, Buffer.from(text));
  }

  bytes(place: string, bytes: Buffer): void {
    this.scanned += bytes.length;
    for (const { secret, form, bytes: wanted } of this.forms)
      if (bytes.includes(wanted)) this.report({ place, secret, form });
  }

  /** A file of any size; one that is not there holds nothing. */
  async file(path: string): Promise<void> {
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (size === undefined) return;
    // A stream sets its buffer up for each file, and most are small and there are many.
    if (size <= chunkBytes) return this.bytes(path, readFileSync(path));
    let tail = Buffer.alloc(0);
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
      const bytes = Buffer.concat([tail, chunk as Buffer]);
      this.bytes(path, bytes);
      tail = bytes.subarray(-this.longest);
    }
  }

  /** Every file below `path`, and the names of the files. */
  async folder(path: string): Promise<void> {
    if (!existsSync(path)) return;
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      this.text(`name of a file below ${path}`, name);
      if (statSync(join(path, name), { throwIfNoEntry: false })?.isFile()) await this.file(join(path, name));
    }
  }

  /** Arguments and environment of every running program that this user may look at; each program once. */
  processes(): void {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        const program = readFileSync(join('/proc', pid, 'cmdline'));
        if (this.programs.get(pid)?.equals(program)) continue;
        this.programs.set(pid, program);
        this.bytes('arguments of a program', program);
        this.bytes('environment of a program', readFileSync(join('/proc', pid, 'environ')));
      } catch {
        // It has ended, or it is somebody else's.
      }
    }
  }

  private report(finding: Finding): void {
    const isKnown = this.findings.some(
      ({ place, secret, form }) => place === finding.place && secret === finding.secret && form === finding.form,
    );
    if (!isKnown) this.findings.push(finding);
  }
}

interface Form {
  readonly form: string;
  readonly bytes: Buffer;
}

function formsOf(secret: string): Form[] {
  const plain = [
    { form: 'raw', text: secret },
    { form: 'JSON-escaped', text: JSON.stringify(secret).slice(1, -1) },
    { form: 'URL-encoded', text: encodeURIComponent(secret) },
    { form: 'form-encoded', text: new URLSearchParams({ s: secret }).toString().slice(2) },
  ];
  const forms = plain.flatMap(({ form, text }) => {
    const bytes = Buffer.from(text);
    const hex = bytes.toString('hex');
    return [
      { form, bytes },
      { form: `${form}, hex`, bytes: Buffer.from(hex) },
      { form: `${form}, HEX`, bytes: Buffer.from(hex.toUpperCase()) },
      ...[0, 1, 2].flatMap((alignment) => base64Forms(form, bytes, alignment)),
    ];
  });
  return forms.filter(({ bytes }, index) => forms.findIndex((other) => other.bytes.equals(bytes)) === index);
}

/** The middle of the encoding, which depends on the secret alone and not on what stands before and after it. */
function base64Forms(form: string, bytes: Buffer, alignment: number): Form[] {
  const encoded = Buffer.concat([Buffer.alloc(alignment), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const skip = [0, 2, 3][alignment]!;
  const whole = Math.floor(((alignment + bytes.length) * 8) / 6);
  const middle = encoded.slice(skip, whole);
  return [
    { form: `${form}, base64 at ${alignment}`, bytes: Buffer.from(middle) },
    {
      form: `${form}, base64url at ${alignment}`,
      bytes: Buffer.from(middle.replaceAll('+', '-').replaceAll('/', '_')),
    },
  ];
}

/** Looks at every running program again and again, since arguments are there only while it runs. Gives how often it looked. */
export function watchProcesses(scan: CanaryScan, everyMs = 100): { stop(): number } {
  let looks = 0;
  const timer = setInterval(() => {
    scan.processes();
    looks += 1;
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return looks;
    },
  };
}
