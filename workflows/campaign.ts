/**
 * A campaign rotates what is due of one rotation policy. It spreads the start by jitter, keeps a budget for each target, so that a
 * hung target slows nobody else, and goes on when one identity fails. Temporal Schedules start it, one for each policy.
 */
import { condition, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { CampaignStart } from '../src/domain/wire.js';
import { waiterFor } from './lib/activities.js';
import { failureOf } from './lib/failure.js';
import { renderCampaign, type CampaignItem, type CampaignReport } from './lib/render-campaign.js';

/** Identities that one campaign takes on; what is left is still due when the schedule fires again. */
const largest = 500;

export async function campaign(start: CampaignStart): Promise<CampaignReport> {
  const { workflowId } = workflowInfo();
  const due = await waiterFor(`Select what is due of ${start.policy}`).selectDue({
    policy: start.policy,
    limit: largest,
  });
  const items = due.identities.map((identity): CampaignItem => ({ ...identity, status: 'waiting' }));
  const report: CampaignReport = { policy: start.policy, items };
  setCurrentDetails(renderCampaign(report));
  await Promise.all(items.map((item) => rotateWithinBudget(item)));
  return report;

  async function rotateWithinBudget(item: CampaignItem): Promise<void> {
    await sleep(item.jitterMs, { summary: `jitter of ${item.name}` });
    await condition(() => takesPlace(item));
    setCurrentDetails(renderCampaign(report));
    Object.assign(item, await outcomeOf(item));
    setCurrentDetails(renderCampaign(report));
  }

  /** Taking the place belongs to the check: several conditions can come true at the same moment. */
  function takesPlace(item: CampaignItem): boolean {
    const running = items.filter(({ target, status }) => target === item.target && status === 'running').length;
    if (running >= due.perTarget) return false;
    item.status = 'running';
    return true;
  }

  async function outcomeOf({ name }: CampaignItem): Promise<Pick<CampaignItem, 'status' | 'detail'>> {
    const requestId = `${workflowId}/${name}`;
    try {
      const { outcome, detail } = await waiterFor(`Rotate ${name}`).rotateOne({
        name,
        requestId,
        requester: `schedule/${start.policy}`,
      });
      return { status: outcome === 'succeeded' ? 'succeeded' : 'failed', detail };
    } catch (error) {
      return { status: 'failed', detail: failureOf(error).message };
    }
  }
}
