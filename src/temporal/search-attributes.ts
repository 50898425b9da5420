import { defineSearchAttributeKey } from '@temporalio/common';

/**
 * The typed search attributes. SQL visibility allots a namespace 10 Keyword attributes and 3 of each other type: seven
 * Keyword ones are spent here and three are kept free.
 */
export const searchAttributes = {
  kind: defineSearchAttributeKey('NhiKind', 'KEYWORD'),
  owner: defineSearchAttributeKey('NhiOwner', 'KEYWORD'),
  target: defineSearchAttributeKey('NhiTarget', 'KEYWORD'),
  environment: defineSearchAttributeKey('NhiEnvironment', 'KEYWORD'),
  /** Stage of the process: only where it waits, and where it ended. */
  stage: defineSearchAttributeKey('NhiStage', 'KEYWORD'),
  /** Of an identity: its status. Of a process: running, waiting, needs-operator, succeeded, undone, unfinished, pre-empted. */
  status: defineSearchAttributeKey('NhiStatus', 'KEYWORD'),
  gate: defineSearchAttributeKey('NhiGate', 'KEYWORD'),
  /** `key:value`: team, policy, vendor, campaign, incident. */
  tags: defineSearchAttributeKey('NhiTags', 'KEYWORD_LIST'),
  nextRotation: defineSearchAttributeKey('NhiNextRotation', 'DATETIME'),
} as const;
