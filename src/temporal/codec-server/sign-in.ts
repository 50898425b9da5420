/**
 * Signing in with a browser. A Temporal UI without single sign-on has no access token to pass, but it can send cookies: a person who has
 * the token enters it here once, on the codec server's own page, and the UI's requests carry what they got for it.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const cookieName = 'tenure-codec';
/** A working day. */
const lifeMs = 8 * 3_600_000;
/** Beyond any number of people; the oldest goes first. */
const mostSessions = 1_000;

/** Who is signed in. They live in memory: a restart signs everybody out. */
export class Sessions {
  private readonly open = new Map<string, { readonly who: string; readonly until: number }>();

  /** The `Set-Cookie` for somebody who has proven who they are. */
  begin(who: string, now: number, isSecure: boolean): string {
    const id = randomBytes(32).toString('base64url');
    this.open.set(id, { who, until: now + lifeMs });
    const [oldest] = this.open.keys();
    if (this.open.size > mostSessions && oldest !== undefined) this.open.delete(oldest);
    const secure = isSecure ? '; Secure' : '';
    return `${cookieName}=${id}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${lifeMs / 1_000}${secure}`;
  }

  /** Who sent the request; undefined for nobody who is signed in. */
  of(request: IncomingMessage, now: number): string | undefined {
    const id = /(?:^|;\s*)tenure-codec=([A-Za-z0-9_-]{43})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
    const session = id === undefined ? undefined : this.open.get(id);
    return session && session.until > now ? session.who : undefined;
  }
}

/** The page, which loads nothing and runs nothing. */
export function signInPage(who: string | undefined, complaint = ''): string {
  const form = `<form method="post" action="/session"><label>Token <input type="password" name="token" autocomplete="off" autofocus required></label> <button>Sign in</button></form>`;
  const signedIn =
    '<p>You are signed in. In the Temporal UI open the codec server’s settings, give this address as the endpoint, and turn on “Include cross-origin credentials”.</p>';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tenure codec server</title><h1>Tenure codec server</h1>${complaint === '' ? '' : `<p role="alert">${complaint}</p>`}${who === undefined ? form : signedIn}</html>\n`;
}
