/** One identity of a campaign. */
export interface CampaignItem {
  readonly name: string;
  readonly target: string;
  readonly jitterMs: number;
  status: 'waiting' | 'running' | 'succeeded' | 'failed';
  detail?: string;
}

/** What a campaign gives back: one line for each identity, nothing left out. */
export interface CampaignReport {
  readonly policy: string;
  readonly items: readonly CampaignItem[];
}

/** The current details of a campaign in the Temporal UI: counts, then whatever is not simply waiting or done. */
export function renderCampaign({ policy, items }: CampaignReport): string {
  const count = (status: CampaignItem['status']): number => items.filter((item) => item.status === status).length;
  const noteworthy = items.filter(({ status }) => status === 'running' || status === 'failed');
  return [
    `**Campaign of ${policy}**: ${items.length} due; ${count('succeeded')} rotated, ${count('failed')} failed, ${count('running')} running, ${count('waiting')} waiting`,
    ...(noteworthy.length > 0 ? ['', '| identity | target | | |', '|---|---|---|---|'] : []),
    ...noteworthy
      .slice(0, 100)
      .map(({ name, target, status, detail }) => `| ${name} | ${target} | ${status} | ${detail ?? ''} |`),
  ].join('\n');
}
