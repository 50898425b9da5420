/** The directory as it stands in the files now. Whoever is taken out of them can do nothing more, also where a gate is open already. */
import { join } from 'node:path';
import type { TenureConfig } from '../config/types.js';
import type { Directory } from '../domain/directory.js';
import { TenureError } from '../domain/errors.js';
import { formatProblem, type Problem } from '../manifest/problem.js';
import { readYamlText } from '../manifest/read.js';
import { checkFields } from '../manifest/shape.js';
import { secretProblems, withSecretProblems } from '../manifest/secrets.js';
import { readYaml, type YamlDocument } from '../manifest/yaml.js';
import { directorySchema } from './directory-schema.js';

/** Gives the directory as it is at the moment of asking. */
export interface DirectorySource {
  /** Throws a retryable `StoreUnavailable` when it cannot be read: as long as nobody knows who is who, nothing is verified. */
  current(): Promise<Directory>;
}

/** The part of the operator's file that lies beside its state: `tenure dev` writes it. */
export function developmentDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'directory.yaml');
}

/**
 * Reads both files at every call, and parses what has changed. Once the operator's file names somebody, those are all there are:
 * what was made for a first try opens nothing any more.
 */
export function directorySource({
  file,
  stateDirectory,
}: Pick<TenureConfig, 'file' | 'stateDirectory'>): DirectorySource {
  const written = remembering(file);
  const added = remembering(developmentDirectory(stateDirectory), 'may be absent');
  return {
    async current() {
      const [own, development] = await Promise.all([written(), added()]);
      const { parties } = own.parties.length > 0 ? own : development;
      return { parties, revoked: [...own.revoked, ...development.revoked] };
    },
  };
}

const nobody: Directory = { parties: [], revoked: [] };

/** Parses a file again only when its text has changed. */
function remembering(file: string, absence?: 'may be absent'): () => Promise<Directory> {
  let last: { readonly text: string; readonly directory: Directory } | undefined;
  return async () => {
    const text = await textOf(file, absence);
    if (text === undefined) return nobody;
    if (last?.text !== text) last = { text, directory: parse(file, text) };
    return last.directory;
  };
}

/** Reads the directory in one file. Throws a retryable `StoreUnavailable`. */
export function readDirectory(file: string, absence?: 'may be absent'): Promise<Directory> {
  return remembering(file, absence)();
}

async function textOf(file: string, absence?: 'may be absent'): Promise<string | undefined> {
  const read = await readYamlText(file);
  if ('text' in read) return read.text;
  if (absence && read.problem.problem === 'there is no such file') return undefined;
  throw unknown(file, [read.problem]);
}

function parse(file: string, text: string): Directory {
  const { documents, problems } = readYaml(file, text);
  const [document] = documents;
  if (problems.length > 0) throw unknown(file, problems);
  // A file without a document is one that is being written just now.
  if (!document)
    throw unknown(file, [{ file, line: 1, column: 1, path: '', problem: 'the file is empty', fix: 'Finish it.' }]);
  const found = checkFields(document, [], directoryAlone(document), { directory: directorySchema });
  if (found.fields.directory && found.problems.length === 0) return found.fields.directory;
  const secrets = secretProblems(document, 'Take it out, and make a new one: this one was written down.');
  throw unknown(file, withSecretProblems(found.problems, secrets));
}

/** The other fields of the file are checked where they are used. */
function directoryAlone({ value }: YamlDocument): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.hasOwn(value, 'directory') ? { directory: (value as Record<string, unknown>)['directory'] } : {};
}

function unknown(file: string, problems: readonly Problem[]): TenureError {
  return new TenureError(
    'StoreUnavailable',
    `Who may ask and approve is not known, so nothing is taken. ${problems.map(formatProblem).join('\n')}`,
    { file },
  );
}
