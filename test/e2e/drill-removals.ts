/** Builds with one control taken out of the compiled code, and the drills that have to notice. */

export interface Removal {
  readonly breaks: readonly string[];
  /** What this build lacks, as the end of a sentence. */
  readonly without: string;
  /** Exact text of a compiled file, which is there once. */
  readonly edits: readonly { readonly file: string; readonly replace: string; readonly by: string }[];
}

const bound = {
  file: 'src/trust/ballots.js',
  replace: 'demandBound(statement, weighing);',
  by: '',
};

export const removals: readonly Removal[] = [
  {
    breaks: ['spoofed-approver'],
    without: 'whoever a statement names is believed, whichever key signed it',
    edits: [
      {
        file: 'src/trust/verify.js',
        replace: 'const { party, key } = holderNow(directory, read.keyId, now);',
        by: 'const party = directory.parties.find(({ name }) => name === signerOf(statement)); const [key] = party.keys;',
      },
    ],
  },
  {
    breaks: ['own-approval', 'service-approves'],
    without: 'anybody of the directory may decide, about anything',
    edits: [
      { file: 'src/trust/ballots.js', replace: 'demandPerson(attested);', by: '' },
      { file: 'src/trust/ballots.js', replace: 'demandNotOwn(attested, weighing.requester);', by: ';' },
    ],
  },
  {
    breaks: ['replay', 'changed-plan'],
    without: 'approvals are not bound to what they were signed for',
    edits: [bound],
  },
  {
    breaks: ['unsigned-signal'],
    without: 'requests are taken from whoever sends them',
    edits: [
      {
        file: 'activities/trust.js',
        replace: 'await verifyRequest(asked, identity, { directory: await loadDirectory(), now: now() });',
        by: "{ name: asked.requester, kind: 'person', groups: [], key: '', presence: 'none', at: '', statement: '' };",
      },
    ],
  },
  {
    breaks: ['stolen-key'],
    without: 'the directory is read once',
    edits: [{ file: 'src/trust/directory-file.js', replace: 'if (last?.text !== text)', by: 'if (!last)' }],
  },
  {
    breaks: ['growing-routine'],
    without: 'nobody compares what is asked for with what was approved last',
    edits: [
      {
        file: 'src/trust/facts.js',
        replace: 'growthOf(last?.plan?.to?.scope ?? {}, plan.to.scope).toSorted()',
        by: '[]',
      },
    ],
  },
  {
    breaks: ['expired-exception'],
    without: 'exceptions do not end',
    edits: [{ file: 'src/exceptions/live.js', replace: 'ms < Date.parse(terms.until) && ', by: '' }],
  },
  {
    breaks: ['freeze-bypass'],
    without: 'freezes are not looked at',
    edits: [
      {
        file: 'activities/policy.js',
        replace: 'return mayChange({',
        by: 'return true ? { clear: true } : mayChange({',
      },
    ],
  },
  {
    breaks: ['reset-run'],
    without: 'neither approvals nor permits are bound to a run',
    edits: [
      bound,
      {
        file: 'src/trust/permits.js',
        replace: 'if (await noteOnce(file, permit))\n        return;',
        by: 'await noteOnce(file, permit); return;',
      },
      { file: 'src/trust/permits.js', replace: 'if (permit?.run !== run)', by: 'if (!permit)' },
      {
        file: 'activities/policy.js',
        replace: 'await demandMade(input, onRecord, dependencies.permits);',
        by: '',
      },
    ],
  },
  {
    breaks: ['loosened-policy'],
    without: 'approvals are not bound to the policies that asked for them',
    edits: [{ file: 'activities/policy.js', replace: 'gate.policyDigest === now.policyDigest &&', by: '' }],
  },
  {
    breaks: ['outliving-elevation'],
    without: 'the time of lent rights does not end',
    edits: [
      {
        file: 'dist/workflow-bundle.js',
        replace: '.until)(isEarly, end, ',
        by: ".until)(isEarly, '2999-01-01T00:00:00Z', ",
      },
    ],
  },
];
