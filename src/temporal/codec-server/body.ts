import type { IncomingMessage } from 'node:http';

/** Two payloads of the largest size that Temporal takes, in base64, and what stands around them. */
const mostBytes = 8 << 20;

export class TooLarge extends Error {}

/** The body, no longer than it may be. What is too much is read and dropped: an answer in the middle of it would be lost. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= mostBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (length > mostBytes) throw new TooLarge();
  return Buffer.concat(chunks).toString();
}
