/** The Temporal UI in a browser, with `tenure codec-server` beside it. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { loadEncryption } from '../../src/config/encryption.js';
import { dataConverterFor } from '../../src/temporal/codec/converter.js';
import { connectClient, type ConnectedClient } from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { pretend } from '../cli/support/terminal.js';
import { eventually } from '../support/engine.js';
import { describeUnless } from '../support/machine.js';

const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);
const lacking = browserPath === undefined ? 'no Chromium is installed here: apt-get install chromium' : undefined;
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
const workflowId = 'nhi/ledger-sealed';
const content = 'pays the suppliers of Halmstad';
const summary = 'provision of Halmstad';

describeUnless(lacking, 'the Temporal UI with encrypted payloads', () => {
  let folder: string;
  let server: DevServer;
  let connected: ConnectedClient;
  let browser: Browser;
  let page: Page;
  let codec: { readonly url: string; readonly log: () => string; readonly end: () => Promise<number> };
  const token = randomBytes(32).toString('base64url');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-codec-ui-'));
    server = await startDevServer();
    await run(['key', 'make', 'codec', '--id', 'one'], pretend({ cwd: folder }).io);
    await writeFile(join(folder, 'token'), token, { mode: 0o600 });
    const codecServer = { port: 0, origins: [server.uiUrl], token: { file: 'token' } };
    const encryption = { keys: [{ id: 'one', key: { file: 'one.codec-key' } }], codecServer };
    await writeFile(join(folder, 'tenure.yaml'), JSON.stringify({ encryption }));
    codec = await served(folder);
    const { address, namespace } = server;
    const dataConverter = await dataConverterFor(await loadEncryption(join(folder, 'tenure.yaml')));
    connected = await connectClient({ address, namespace }, { dataConverter });
    // Nobody works: what was sent is all that there is to see.
    const args = [{ purpose: content }];
    await connected.client.workflow.start('identity', {
      workflowId,
      taskQueue: 'nobody',
      args,
      staticSummary: summary,
    });
    browser = await chromium.launch({ executablePath: browserPath!, args: flags });
    page = await browser.newPage({ viewport: { width: 1500, height: 1200 } });
    page.setDefaultTimeout(20_000);
    await page.goto(server.uiUrl);
    // As a person sets it in the UI's settings for codec servers.
    const settings = { endpoint: codec.url, includeCredentials: true, overrideRemoteCodecConfiguration: true };
    for (const [name, value] of Object.entries(settings))
      await page.evaluate(`localStorage.setItem('${name}', ${JSON.stringify(JSON.stringify(value))})`);
  });
  afterAll(async () => {
    await browser?.close();
    await connected?.connection.close();
    await codec?.end();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('shows nothing of them to somebody who is not signed in at the codec server', async () => {
    const refused = page.waitForResponse(
      (response) => response.url().startsWith(codec.url) && response.status() === 401,
    );
    await openWorkflow();
    await refused;
    expect(await textOf()).not.toContain('Halmstad');
  });

  test('refuses a sign-in with another token', async () => {
    expect(await signIn('another-token-another-token-another-token')).toContain('That is not the token');
  });

  test('shows what was sent, and its summary, to who has signed in', async () => {
    expect(await signIn(token)).toContain('You are signed in');
    await openWorkflow();
    await eventually(textOf, (text) => text.includes(content) && text.includes(summary), 20_000);
    expect(codec.log()).toContain('"path":"/decode"');
    for (const hidden of ['Halmstad', token]) expect(codec.log()).not.toContain(hidden);
  });

  async function signIn(word: string): Promise<string> {
    await page.goto(`${codec.url}/`);
    await page.getByLabel('Token').fill(word);
    await page.getByRole('button', { name: 'Sign in' }).click();
    return page.locator('body').innerText();
  }

  async function openWorkflow(): Promise<void> {
    await page.goto(`${server.uiUrl}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`);
    await page.getByText('Workflow Execution Started').first().waitFor();
  }

  function textOf(): Promise<string> {
    return page.locator('body').innerText();
  }
});

/** The verb, as somebody runs it. */
async function served(cwd: string): Promise<{ url: string; log: () => string; end: () => Promise<number> }> {
  const terminal = pretend({ cwd });
  const ended = run(['codec-server', '--json'], terminal.io);
  const { url } = await eventually(
    async () => JSON.parse(terminal.stdout()) as { url: string },
    () => true,
    10_000,
  );
  return {
    url,
    log: terminal.stderr,
    end: () => {
      terminal.interrupt();
      return ended;
    },
  };
}
