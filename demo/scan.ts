/** Looks for secrets in files, as they are and in the ways that programs write bytes. */
import { readFileSync } from 'node:fs';

/** `file` for each file that holds one of the secrets. */
export function filesWith(secrets: readonly string[], files: readonly string[]): string[] {
  return files.filter((file) => holds(readFileSync(file), secrets));
}

/** Whether `bytes` hold one of the secrets. */
export function holds(bytes: Buffer, secrets: readonly string[]): boolean {
  return secrets.some((secret) => spellings(secret).some((spelling) => bytes.includes(spelling)));
}

/** A history as it would be with a secret in one of its payloads. Proves that a scan can find one. */
export function planted(history: Buffer, secret: string): Buffer {
  const payload = Buffer.from(JSON.stringify({ note: secret })).toString('base64');
  return Buffer.concat([history, Buffer.from(`{"data":"${payload}"}`)]);
}

/** In base64 a secret looks different for each of three places that it can begin at, but for its first and last characters. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inBase64 = [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const core = whole.slice(offset === 0 ? 0 : offset + 1, -1);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [secret, bytes.toString('hex'), encodeURIComponent(secret), ...inBase64];
}
