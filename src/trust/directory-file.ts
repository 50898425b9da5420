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
import { conflictsOf, directorySchema } from './directory-schema.js';

/** Gives the directory as it is at the moment of asking. */
export interface DirectorySource {
  /** Throws a retryable `StoreUnavailable` when it cannot be read: as long as nobody knows who is who, nothing is verified. */
  current(): Promise<Directory>;
}

/** The part of the operator's file that lies beside its state: `tenure dev` writes it. */
export function developmentDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'directory.yaml');
}

/** Reads both files at every call, and parses what has changed. */
export function directorySource({
  file,
  stateDirectory,
}: Pick<TenureConfig, 'file' | 'stateDirectory'>): DirectorySource {
  const written = remembering(file);
  const added = remembering(developmentDirectory(stateDirectory), 'may be absent');
  return {
    async current() {
      return merged(file, await written(), await added());
    },
  };
}

const nobody: Directory = { parties: [], revoked: [] };

/** Parses a file again only when its text has changed. */
function remembering(file: string, absence?: 'may be absent'): () => Promise<Directory> {
  let last: { readonly text: string; readonly directory: Directory } | undefined;
  return async () => {
    const read = await readYamlText(file);
    if ('problem' in read) {
      if (absence && read.problem.problem === 'there is no such file') return nobody;
      throw unknown(file, [read.problem]);
    }
    if (last?.text !== read.text) last = { text: read.text, directory: parse(file, read.text) };
    return last.directory;
  };
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

/** Who stands in the operator's file is as that says, whatever was made for development. */
function merged(file: string, written: Directory, added: Directory): Directory {
  const own = new Set(written.parties.map(({ name }) => name));
  const parties = [...written.parties, ...added.parties.filter(({ name }) => !own.has(name))];
  const [conflict] = conflictsOf(parties.map((party) => ({ party, path: [party.name] })));
  if (conflict) {
    const [problem = '', fix = ''] = conflict.message.split(' | ');
    throw unknown(file, [{ file, line: 1, column: 1, path: `directory of ${conflict.path.join('.')}`, problem, fix }]);
  }
  return { parties, revoked: [...written.revoked, ...added.revoked] };
}

function unknown(file: string, problems: readonly Problem[]): TenureError {
  return new TenureError(
    'StoreUnavailable',
    `Who may ask and approve is not known, so nothing is taken. ${problems.map(formatProblem).join('\n')}`,
    { file },
  );
}
