import type { Remark } from '../../activities/contract.js';
import { asText } from './as-text.js';

/**
 * One identity of a campaign. `handed over`: it waits for something outside and goes on without the campaign. `skipped`: not due any
 * more, or not reached.
 */
export interface CampaignItem {
  readonly name: string;
  readonly target: string;
  readonly jitterMs: number;
  status: 'waiting' | 'running' | 'succeeded' | 'failed' | 'handed over' | 'skipped';
  detail?: string;
  operation?: string;
}

/** What a campaign gives back: one line for each identity, nothing left out. */
export interface CampaignReport {
  readonly policy: string;
  items: readonly CampaignItem[];
  /** No window is left for these before they are too old: a person has to decide. */
  asking: readonly Remark[];
  /** These could not be looked at. */
  leftOut: readonly Remark[];
}

/** The campaign is not done with it. */
export function isOpen({ status }: CampaignItem): boolean {
  return status === 'waiting' || status === 'running';
}

const statuses = ['succeeded', 'failed', 'handed over', 'skipped', 'running', 'waiting'] as const;
const mostLines = 100;

/** The current details of a campaign in the Temporal UI: counts, then whatever is not simply waiting or done. Markdown. */
export function renderCampaign({ policy, items, asking, leftOut }: CampaignReport): string {
  const counts = statuses.map((status) => `${items.filter((item) => item.status === status).length} ${status}`);
  const lines = [
    ...items
      .filter(({ status }) => status !== 'waiting' && status !== 'succeeded')
      .map(({ name, target, status, detail }) => `| ${name} | ${target} | ${status} | ${asText(detail ?? '')} |`),
    ...asking.map(({ name, detail }) => `| ${name} | | asks | ${asText(detail)} |`),
    ...leftOut.map(({ name, detail }) => `| ${name} | | left out | ${asText(detail)} |`),
  ];
  return [
    `**Campaign of ${policy}**: ${items.length} due; ${counts.join(', ')}`,
    ...(lines.length > 0 ? ['', '| identity | target | | |', '|---|---|---|---|'] : []),
    ...lines.slice(0, mostLines),
  ].join('\n');
}
