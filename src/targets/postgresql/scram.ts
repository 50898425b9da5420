/** SCRAM-SHA-256 verifiers (RFC 5803), computed here so that PostgreSQL never sees, and never logs, a password. */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/**
 * The verifier that PostgreSQL keeps for `password`, in the form it takes in place of one.
 * The password has to be ASCII: other text would need SASLprep first.
 */
export async function scramVerifier(password: string, iterations: number, salt = randomBytes(16)): Promise<string> {
  // oxlint-disable-next-line no-control-regex
  if (!/^[\x20-\x7e]+$/.test(password)) throw new Error('a password for SCRAM has to be printable ASCII');
  const salted = await derive(password, salt, iterations, 32, 'sha256');
  const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const server = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
