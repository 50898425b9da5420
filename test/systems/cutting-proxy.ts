/** A TCP proxy that cuts a connection at a chosen moment, to lose an answer. */
import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** How many connections were cut. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** Forwards to `port`. What the client sends and `shouldCut` matches still arrives; its answer never does. */
export async function startCuttingProxy(port: number, shouldCut: (sent: string) => boolean): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    upstream.on('data', (data) => client.write(data));
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.end());
    client.on('data', (data) => {
      if (!shouldCut(data.toString('latin1'))) return void upstream.write(data);
      cuts += 1;
      upstream.write(data, () => setTimeout(() => client.destroy(), 100));
      upstream.removeAllListeners('data');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
