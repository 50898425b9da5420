import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectClient, type ConnectedClient } from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { quoted } from '../../src/temporal/visibility-query.js';
import { eventually } from '../support/engine.js';

let server: DevServer;
let connected: ConnectedClient;
beforeAll(async () => {
  server = await startDevServer({ headless: true });
  connected = await connectClient({ address: server.address, namespace: server.namespace });
});
afterAll(async () => {
  await connected?.connection.close();
  await server?.stop();
});

const nasty = ['plain', "o'clock", "two''quotes", "x' OR NhiOwner != 'x"];
/** The server's own way of escaping does not find these on SQLite, but they must neither break the filter nor widen it. */
const unfound = ["x' OR NhiOwner != '", '"double"', 'back\\slash', 'ends\\', "\\' OR NhiOwner != '"];

test('a quoted value finds exactly what has it, and never anything else, whatever is in it', async () => {
  const { workflow } = connected.client;
  for (const [number, owner] of [...nasty, ...unfound].entries())
    await workflow.start('nothing', {
      workflowId: `w-${number}`,
      taskQueue: 'nobody',
      typedSearchAttributes: [
        { key: searchAttributes.owner, value: owner },
        { key: searchAttributes.tags, value: [`policy:${owner}`] },
      ],
    });
  await eventually(
    async () => (await workflow.count()).count,
    (count) => count === nasty.length + unfound.length,
  );
  const found = async (query: string): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { workflowId } of workflow.list({ query })) ids.push(workflowId);
    return ids;
  };
  for (const [number, owner] of nasty.entries()) {
    expect(await found(`NhiOwner = ${quoted(owner)}`), owner).toEqual([`w-${number}`]);
    expect(await found(`NhiTags = ${quoted(`policy:${owner}`)}`), owner).toEqual([`w-${number}`]);
  }
  for (const [number, owner] of unfound.entries())
    expect([`w-${nasty.length + number}`], owner).toEqual(
      expect.arrayContaining(await found(`NhiOwner = ${quoted(owner)}`)),
    );
});
