/** Somebody who has a bundle, and the key of the log: changes what they like and makes every signature, hash and proof fit again. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { canonicalJson } from '../../src/canonical-json.js';
import type { Directory } from '../../src/domain/directory.js';
import type { ProcessRecord, SealedBy } from '../../src/domain/evidence.js';
import type { ProcessPlan } from '../../src/domain/plan.js';
import { attachmentName, digestOfText } from '../../src/evidence/attachments.js';
import { proofName } from '../../src/evidence/bundle/export.js';
import type { BundleFiles } from '../../src/evidence/bundle/files.js';
import { withManifest } from '../../src/evidence/bundle/manifest.js';
import { formatProof, signCheckpoint } from '../../src/evidence/checkpoint.js';
import { signEnvelope, type Envelope } from '../../src/evidence/dsse.js';
import { evidenceKeyFile } from '../../src/evidence/open.js';
import { readEvidenceKey } from '../../src/evidence/key.js';
import { anyRecordIn, statementOfAny, type AnyRecord } from '../../src/evidence/kinds.js';
import { entryName } from '../../src/evidence/log.js';
import { leafHash, treeOf } from '../../src/evidence/merkle.js';
import { logKeyOf } from '../../src/evidence/note.js';
import { statementOf } from '../../src/evidence/records.js';
import { digestOf } from '../../src/policy/digest.js';
import type { Life } from './life.js';

export type Change<R> = (record: R, forger: Forger) => R;

/** Somebody's log: where its key lies. */
export type Place = { readonly stateDirectory: string };

export class Forger {
  records: readonly AnyRecord[];
  private readonly attached: Map<string, string>;
  private isSignedAnew = true;

  private constructor(
    private readonly files: BundleFiles,
    private readonly place: Place,
    private readonly ownKey: KeyObject | undefined,
  ) {
    const entries = [...files].filter(([name]) => name.startsWith('entries/')).sort();
    this.records = entries.map(([, text]) => {
      const { payload } = JSON.parse(text) as Envelope;
      return anyRecordIn(Buffer.from(payload, 'base64').toString())!;
    });
    this.attached = new Map([...files].filter(([name]) => /^(histories|bundles|directories)\//.test(name)));
  }

  static of(files: BundleFiles, log: Life | Place, key?: 'another key'): Forger {
    return new Forger(
      files,
      'engine' in log ? log.engine.evidence : log,
      key && generateKeyPairSync('ed25519').privateKey,
    );
  }

  record<R = ProcessRecord>(index: number): R {
    return this.records[index]!.record as R;
  }

  change<R = ProcessRecord>(index: number, change: Change<R>): this {
    this.records = this.records.map((any, at) =>
      at === index ? ({ ...any, record: change(any.record as R, this) } as AnyRecord) : any,
    );
    return this;
  }

  /** As if it had never been appended. */
  drop(index: number): this {
    this.records = this.records.filter((_, at) => at !== index);
    return this;
  }

  /** Takes away every record from `size` on; the checkpoint stays, until {@link signed}. */
  cutTo(size: number): this {
    this.records = this.records.slice(0, size);
    this.isSignedAnew = false;
    return this;
  }

  signed(): this {
    this.isSignedAnew = true;
    return this;
  }

  changeHistory(index: number, change: (events: Record<string, unknown>[]) => Record<string, unknown>[]): this {
    return this.change<SealedBy>(index, (record) => {
      const name = attachmentName('histories', record.history!.digest);
      const { events } = JSON.parse(this.attached.get(name)!) as { events: Record<string, unknown>[] };
      const changed = change(events);
      const text = JSON.stringify({ events: changed });
      const digest = digestOfText(text);
      this.attached.set(attachmentName('histories', digest), text);
      return { ...record, history: { ...record.history!, digest, events: changed.length } };
    });
  }

  /** Another directory by which the approvals in advance of a record are said to have been judged. */
  judgedBy(index: number, change: (directory: Directory) => Directory): this {
    return this.change(index, (record) => {
      const { inAdvance } = record.decision!;
      const text = canonicalJson(
        change(JSON.parse(this.attached.get(attachmentName('directories', inAdvance!.directory))!) as Directory),
      );
      const directory = digestOfText(text);
      this.attached.set(attachmentName('directories', directory), text);
      return { ...record, decision: { ...record.decision!, inAdvance: { ...inAdvance!, directory } } };
    });
  }

  changeCode(change: (code: string) => string): this {
    const [[name, code]] = [...this.attached].filter(([each]) => each.startsWith('bundles/')) as [[string, string]];
    const changed = change(code);
    const workflows = digestOfText(changed);
    this.attached.delete(name);
    this.attached.set(attachmentName('bundles', workflows), changed);
    this.records = this.records.map(
      (any) => ({ ...any, record: { ...any.record, code: { ...any.record.code, workflows } } }) as AnyRecord,
    );
    return this;
  }

  /** Another plan, and its digest wherever the log's key holder can write it. */
  withPlan(record: ProcessRecord, plan: ProcessPlan): ProcessRecord {
    const planDigest = digestOf(plan);
    const votes = record.gate!.votes.map((vote) => ({ ...vote, planDigest }));
    return {
      ...record,
      plan,
      decision: { ...record.decision!, planDigest },
      gate: { ...record.gate!, planDigest, votes },
    };
  }

  async bundle(): Promise<BundleFiles> {
    const privateKey = this.ownKey ?? (await readEvidenceKey({ file: evidenceKeyFile(this.place.stateDirectory) }));
    const name = 'tenure';
    const statement = (any: AnyRecord): string =>
      any.kind === 'process' ? statementOf(any.record) : statementOfAny(any);
    const texts = this.records.map((any) => canonicalJson(signEnvelope(statement(any), name, privateKey)));
    const leaves = texts.map((text) => leafHash(text));
    const tree = treeOf(leaves);
    const checkpoint = this.isSignedAnew
      ? signCheckpoint({ origin: name, size: tree.size, root: tree.root() }, privateKey)
      : this.files.get('checkpoint')!;
    const content = new Map([
      ['log.vkey', `${logKeyOf(name, privateKey).text}\n`],
      ['checkpoint', checkpoint],
      ['leaves', `${leaves.map((leaf) => leaf.toString('base64')).join('\n')}\n`],
      ...this.attached,
    ]);
    for (const [index, text] of texts.entries()) {
      content.set(entryName(index), text);
      content.set(proofName(index), formatProof({ index, hashes: tree.inclusion(index), checkpoint }));
    }
    return withManifest(content, {}, [...texts.keys()]);
  }
}
