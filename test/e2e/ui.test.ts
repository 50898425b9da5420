import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { packageRoot } from '../../src/package-root.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { describeUnless } from '../support/machine.js';

const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);
const pictures = join(packageRoot, 'test-output', 'ui');

const columns = ['NhiStatus', 'NhiStage', 'NhiGate', 'NhiOwner', 'NhiTarget', 'NhiNextRotation'];

/** Without the flags Chromium looks for hosts of its maker, which a machine without a way out refuses one by one. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const lacking = browserPath === undefined ? 'no Chromium is installed here: apt-get install chromium' : undefined;

describeUnless(lacking, 'what an operator sees in the Temporal UI', () => {
  let engine: Engine;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    engine = await Engine.start({ ui: true });
    await finished();
    await parked();
    await waiting();
    browser = await chromium.launch({ executablePath: browserPath!, args: flags });
    page = await browser.newPage({ viewport: { width: 1700, height: 1300 } });
    page.setDefaultTimeout(20_000);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.stop();
  });

  test('the list of identities and processes has our search attributes as columns', async () => {
    await page.goto(
      `${engine.server.uiUrl}/namespaces/default/workflows?query=${encodeURIComponent('WorkflowId STARTS_WITH "nhi/ledger"')}`,
    );
    await page.getByText('nhi/ledger-finished/rotate/2').first().waitFor();
    await page.getByTestId('workflows-summary-table-configuration-button').click();
    for (const column of ['Run ID', 'Start', 'End'])
      await page.getByTestId(`orderable-list-item-${column}-remove-button`).click();
    for (const column of columns) await page.getByTestId(`orderable-list-item-${column}-add-button`).click();
    await page.getByTestId('drawer-close-button').click();
    await page.getByText('Configure Workflows Table').waitFor({ state: 'hidden' });
    await page.screenshot({ path: join(pictures, 'list.png') });
    const table = await page.locator('table').first().innerText();
    for (const shown of [...columns, 'ada@example.com', 'needs-operator', 'succeeded', 'waiting', 'gate', 'active'])
      expect(table).toContain(shown);
  });

  test('a finished rotation shows a summary on each event, and its stages with their proofs', async () => {
    await open('nhi/ledger-finished/rotate/2', 'history');
    await page.getByText('Log in and compare the rights with the approved scope').first().waitFor();
    await page.screenshot({ path: join(pictures, 'finished-history.png'), fullPage: true });
    await open('nhi/ledger-finished/rotate/2', 'metadata');
    await detailsWith('rights are exactly the approved scope');
    await page.screenshot({ path: join(pictures, 'finished-details.png'), fullPage: true });
    await detailsWith('refused (28P01) while admin was let in');
  });

  test('a parked rotation says what it needs and which command gives it', async () => {
    await open('nhi/ledger-parked/rotate/2', 'metadata');
    await detailsWith('Needs an operator');
    await page.screenshot({ path: join(pictures, 'parked-details.png'), fullPage: true });
    await detailsWith('tenure resume ledger-parked');
  });

  test('a rotation at the gate says who is waited for and until when', async () => {
    await open('nhi/ledger-waiting/rotate/2', 'metadata');
    await detailsWith('needs 1 more approval');
    await page.screenshot({ path: join(pictures, 'waiting-details.png'), fullPage: true });
    await detailsWith('any person in the directory but ada@example.com');
    await detailsWith('tenure approve ledger-waiting');
  });

  test('an identity shows its credential, its next rotation and its last processes', async () => {
    await open('nhi/ledger-finished', 'metadata');
    await detailsWith('Last processes');
    await page.screenshot({ path: join(pictures, 'identity-details.png'), fullPage: true });
  });

  async function finished(): Promise<void> {
    await engine.do({ kind: 'provision', spec: specOf('ledger-finished') }, 'ledger-finished');
    await engine.do({ kind: 'rotate', reason: 'monthly' }, 'ledger-finished');
  }

  async function parked(): Promise<void> {
    await engine.do({ kind: 'provision', spec: specOf('ledger-parked') }, 'ledger-parked');
    engine.around.target.faults.set('retire', {
      when: 'before',
      times: 1,
      error: new TenureError(
        'RejectedUnchanged',
        'db refuses to disable ledger-parked_a: permission denied; grant it and resume',
      ),
    });
    await engine.ask({ kind: 'rotate' }, 'ledger-parked');
    await engine.processWhen('nhi/ledger-parked/rotate/2', ({ parked: isParked }) => isParked !== undefined);
  }

  async function waiting(): Promise<void> {
    await engine.do({ kind: 'provision', spec: specOf('ledger-waiting') }, 'ledger-waiting');
    engine.around.obligations = { approvals: 1, gateMs: 3_600_000 };
    await engine.ask({ kind: 'rotate' }, 'ledger-waiting');
    await engine.processWhen('nhi/ledger-waiting/rotate/2', ({ gate }) => gate?.outcome === 'open');
  }

  /** The UI renders Markdown inside frames of its own. */
  async function detailsWith(text: string): Promise<void> {
    await eventually(
      async () => (await Promise.all(page.frames().map((frame) => frame.locator('body').innerText()))).join('\n'),
      (shown) => shown.includes(text),
      20_000,
    );
  }

  async function open(workflowId: string, tab: 'history' | 'metadata'): Promise<void> {
    await page.goto(`${engine.server.uiUrl}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`);
    if (tab === 'metadata') await page.getByText('User Metadata').first().click();
  }
});
