import { afterEach, describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { createNoticeActivities, type NoticeDependencies } from '../../activities/notices.js';
import { startReceiver, status } from '../consumers/receiver.js';
import { signingKey } from '../consumers/scene.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

function notices(rest: Omit<NoticeDependencies, 'log'> = {}) {
  const lines: [string, unknown, string][] = [];
  const at = (level: string) => (facts: unknown, text: string) => void lines.push([level, facts, text]);
  const log = { info: at('info'), warn: at('warn'), error: at('error') } as unknown as NoticeDependencies['log'];
  return { lines, ...createNoticeActivities({ log, ...rest }) };
}
const notice = {
  identity: 'payments-db',
  operation: 'nhi/payments-db/rotate/3',
  level: 'alert',
  text: 'parked',
} as const;

describe('a notice', () => {
  it.each([
    ['info', 'info'],
    ['warning', 'warn'],
    ['alert', 'error'],
  ] as const)('of level %s is a line of level %s in the log', async (level, logged) => {
    const { lines, notify } = notices();
    await notify({ ...notice, level });
    expect(lines).toEqual([
      [logged, { identity: notice.identity, operation: notice.operation, notice: level }, 'parked'],
    ]);
  });

  it('is one bounded line', async () => {
    const { lines, notify } = notices();
    await notify({ ...notice, text: `a\nb\u001b[2J${'x'.repeat(2_000)}` });
    expect(lines[0]![2]).toMatch(/^a b \[2Jx+…$/);
    expect(lines[0]![2].length).toBe(500);
  });

  it('goes to the webhook, signed where there is a key', async () => {
    const receiver = await startReceiver(status(200));
    open.push(receiver.close);
    process.env['TENURE_TEST_SIGNING_KEY'] = signingKey;
    const { lines, notify } = notices({ webhook: receiver.url, signingKey: { env: 'TENURE_TEST_SIGNING_KEY' } });
    await notify(notice);
    await notify(notice);
    const [first, second] = receiver.received;
    expect(new Webhook(signingKey).verify(first!.body, first!.headers as Record<string, string>)).toMatchObject({
      type: 'tenure.notice',
      data: notice,
    });
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
    expect(lines).toHaveLength(2);
    await notices({ webhook: receiver.url }).notify(notice);
    expect(receiver.received[2]!.headers['webhook-signature']).toBeUndefined();
  });

  it('never fails and never waits long, whatever becomes of the webhook', async () => {
    const silent = await startReceiver(() => undefined);
    const failing = await startReceiver(status(404));
    open.push(silent.close, failing.close);
    const broken: Omit<NoticeDependencies, 'log'>[] = [
      { webhook: silent.url },
      { webhook: failing.url },
      { webhook: 'not a url' },
      { webhook: failing.url, signingKey: { env: 'TENURE_TEST_UNSET' } },
    ];
    const startedAt = performance.now();
    for (const { lines, notify } of broken.map(notices)) {
      await expect(notify(notice)).resolves.toBeUndefined();
      expect(lines.map(([level]) => level)).toEqual(['error', 'warn']);
    }
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });
});
