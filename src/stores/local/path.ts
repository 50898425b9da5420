import { TenureError } from '../../domain/errors.js';

const longestPath = 400;
const segment = /^[A-Za-z0-9_@][A-Za-z0-9_@.-]{0,99}$/;

/**
 * Refuses a path that is not a plain relative one. Only ASCII is taken: two spellings of one accented letter would be two
 * entries on one file system and the same entry on another.
 */
export function checkPath(path: string): void {
  const wrong = whatIsWrong(path);
  if (wrong) throw new TenureError('InvalidRequest', `store path ${JSON.stringify(path.slice(0, 80))}: ${wrong}`);
}

function whatIsWrong(path: string): string | undefined {
  if (path.length > longestPath) return `longer than ${longestPath} characters`;
  if (path.startsWith('/')) return 'must be relative, for example payments/db';
  const bad = path.split('/').find((part) => !segment.test(part));
  if (bad === undefined) return undefined;
  if (bad === '') return 'has an empty part';
  return `each part has to be 1 to 100 of A-Z a-z 0-9 _ @ . - and begin with none of . and -`;
}
