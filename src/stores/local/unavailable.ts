import { TenureError } from '../../domain/errors.js';

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the quota is used up; make room',
  EROFS: 'the file system is read-only; mount it for writing',
  EACCES: 'permission denied; give the folder to the user that runs Tenure',
  EPERM: 'not permitted; the folder has to belong to this user, on a file system with hard links',
  ENOTSUP: 'this file system has no hard links; put the store on one that has',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENOTDIR: 'a file stands where a folder is needed; move it away',
};

/** What a failing file system means for the store. An error that has a meaning already is given back as it is. */
export function unavailable(store: string, place: string, error: unknown): unknown {
  if (error instanceof TenureError || !(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  const reason = reasons[code] ?? `${code}; look at the disk and try again`;
  return new TenureError('StoreUnavailable', `store ${store}: ${place}: ${reason}`, { place, system: code });
}
