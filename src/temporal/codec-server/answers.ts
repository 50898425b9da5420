/** The answers of the codec server as HTTP has them. */
import type { ServerResponse } from 'node:http';

/** In every answer: what is in it stays nowhere. */
export const always = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'Origin',
};

/** For a page of this origin, which may ask. */
export function corsOf(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'POST, OPTIONS',
    // What the Temporal UI sends; the identity token in the second one is not looked at.
    'access-control-allow-headers': 'authorization, authorization-extras, content-type, x-namespace',
    'access-control-max-age': '600',
  };
}

/** Says no, in JSON. */
export function refuse(
  response: ServerResponse,
  status: number,
  error: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }));
}

/** A page that may load and run nothing. */
export function page(response: ServerResponse, status: number, html: string): void {
  const policy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
  response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
    .end(html);
}

/** Whoever asks chose it, and it goes into the log. */
export function shown(header: string | string[] | undefined): string {
  return String(header ?? '')
    .replaceAll(/[^\w.:/-]/g, '?')
    .slice(0, 100);
}
