/** The table of contents of a bundle. Nothing in it is believed; it says what has to be there. */
import { z } from 'zod';
import { canonicalJson } from '../../canonical-json.js';
import { digestOfText } from '../attachments.js';
import type { BundleFiles } from './files.js';

/** Which records of the log an export takes. */
export interface Selection {
  readonly identity?: string;
  readonly operation?: string;
  /** Processes that ended at this instant or later. */
  readonly since?: string;
}

export interface Manifest {
  readonly v: 1;
  readonly type: 'tenure/evidence-bundle';
  readonly selection: Selection;
  /** The indexes of the entries that were selected, ascending. */
  readonly entries: readonly number[];
  /** Every other file but this one and its digest, with its `sha256:<hex>`. */
  readonly files: Readonly<Record<string, string>>;
}

export const manifestName = 'manifest.json';
export const manifestDigestName = 'manifest.sha256';

const schema = z.strictObject({
  v: z.literal(1),
  type: z.literal('tenure/evidence-bundle'),
  selection: z.strictObject({
    identity: z.string().exactOptional(),
    operation: z.string().exactOptional(),
    since: z.string().exactOptional(),
  }),
  entries: z.array(z.int().min(0)),
  files: z.record(z.string(), z.string()),
});

/** The files with their table of contents. */
export function withManifest(files: BundleFiles, selection: Selection, entries: readonly number[]): BundleFiles {
  const digests = Object.fromEntries([...files].map(([name, text]) => [name, digestOfText(text)]));
  const manifest: Manifest = { v: 1, type: 'tenure/evidence-bundle', selection, entries, files: digests };
  const text = canonicalJson(manifest);
  return new Map([...files, [manifestName, text], [manifestDigestName, `${digestOfText(text)}\n`]]);
}

/** Reads the table of contents; undefined where it is not exactly what {@link withManifest} writes. */
export function manifestOf(files: BundleFiles): Manifest | undefined {
  const text = files.get(manifestName) ?? '';
  if (files.get(manifestDigestName) !== `${digestOfText(text)}\n`) return undefined;
  try {
    const { success, data } = schema.safeParse(JSON.parse(text));
    return success && canonicalJson(data) === text ? data : undefined;
  } catch {
    return undefined;
  }
}
