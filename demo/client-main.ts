/**
 * The client program, a process of its own: for every request it reads what the store calls current, logs in anew, writes a row and
 * reads it back. Credentials stay in its memory; figures and names are all that it tells.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import pg from 'pg';
import { loadConfig } from '../src/config/load.js';
import { TenureError } from '../src/domain/errors.js';
import type { Material, Store } from '../src/stores/store.js';
import { openStores } from '../src/stores/registry.js';
import { Load, RequestFailure } from './load.js';
import type { Answers, FromClient, Question, Tls, ToClient, Tried } from './messages.js';
import { filesWith, holds, planted } from './scan.js';

interface ClientSettings {
  readonly config: string;
  readonly store: string;
  readonly path: string;
  readonly rate: number;
  readonly tls: Tls;
}

const timeoutMs = 10_000;
const { config, store: storeName, path, rate, tls } = JSON.parse(process.argv[2]!) as ClientSettings;
const store: Store = openStores(await loadConfig(config)).get(storeName);
/** Every credential that was ever current, by its password. */
const seen = new Map<string, Material>();
const load = new Load(request, rate);

process.on('message', (message: ToClient) => void reply(message));
// The demo is gone, however it ended.
process.on('disconnect', () => process.exit(0));
// Ctrl-C is the demo's business: it wants to hear the end of what is on its way.
process.on('SIGINT', () => undefined);
load.start('');
tell({ event: 'ready' });

function tell(message: FromClient): void {
  process.send?.(message);
}

async function reply(message: ToClient): Promise<void> {
  const { id } = message;
  try {
    tell({ event: 'answer', id, answer: await answer(message) });
  } catch (error) {
    tell({ event: 'unable', id, why: error instanceof RequestFailure ? error.message : String((error as Error).name) });
  }
}

async function answer(question: Question): Promise<Answers[keyof Answers]> {
  switch (question.ask) {
    case 'phase':
      return load.next(question.name);
    case 'rest':
      return load.stop();
    case 'hold':
      return hold();
    case 'try all':
      return tryAll();
    case 'scan':
      return scan(question.files, question.transcript);
    default:
      return question satisfies never;
  }
}

async function request(): Promise<string> {
  const material = await current();
  const session = await logIn(material);
  try {
    const { rows } = await session.query<{ id: string }>('INSERT INTO ledger (amount) VALUES ($1) RETURNING id', [1]);
    await session.query('SELECT amount FROM ledger WHERE id = $1', [rows[0]!.id]);
  } catch (error) {
    throw new RequestFailure('query', codeOf(error));
  } finally {
    await session.end().catch(() => undefined);
  }
  return material['username']!;
}

async function current(): Promise<Material> {
  try {
    const { material } = await store.read(path, { slot: 'current' });
    seen.set(material['password']!, material);
    return material;
  } catch (error) {
    throw new RequestFailure('store', error instanceof TenureError ? error.code : 'unforeseen');
  }
}

async function logIn(material: Material): Promise<pg.Client> {
  const { host, port, database, username: user, password } = material as Record<string, string>;
  const session = new pg.Client({
    ...{ host, port: Number(port), database, user, password },
    ...{ connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs, application_name: 'payments-api', ssl: tls },
  });
  session.on('error', () => undefined);
  try {
    await session.connect();
  } catch (error) {
    await session.end().catch(() => undefined);
    throw new RequestFailure('login', codeOf(error));
  }
  return session;
}

async function hold(): Promise<Answers['hold']> {
  const material = await current();
  const session = await logIn(material);
  session.on('error', (error) => tell({ event: 'hold ended', at: Date.now(), code: codeOf(error) }));
  return { principal: material['username']! };
}

async function tryAll(): Promise<Tried> {
  const accepted: string[] = [];
  const codes: string[] = [];
  for (const material of seen.values()) {
    try {
      const session = await logIn(material);
      accepted.push(material['username']!);
      await session.end();
    } catch (error) {
      codes.push(error instanceof RequestFailure ? error.code : 'unforeseen');
    }
  }
  return { tried: seen.size, accepted, codes: [...new Set(codes)] };
}

function scan(files: readonly string[], transcript: string): Answers['scan'] {
  const secrets = [...seen.keys()];
  const inTranscript = holds(Buffer.from(transcript), secrets) ? ['what the demo printed'] : [];
  const copy = (secret: string) => planted(readFileSync(files[0]!), secret);
  return {
    passwords: secrets.length,
    files: files.length,
    hits: [...filesWith(secrets, files), ...inTranscript],
    findsPlanted: secrets.length > 0 && secrets.every((secret) => holds(copy(secret), [secret])),
  };
}

/** A SQLSTATE or the network's code: never a server's text. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'no code';
}
