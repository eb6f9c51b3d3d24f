import net from 'node:net';

export type Proxy = {
  /** The same database through the proxy. */
  readonly url: string;
  /** Lets the next answer of a data-changing statement be written by the server, but cuts the line instead of handing it on. */
  loseNextAnswer(): void;
  lostAnswers(): number;
  /** Cuts every connection and refuses new ones, until `open`. */
  shut(): Promise<void>;
  open(): Promise<void>;
  /** From now on takes connections and bytes, and stays silent; until `thaw`, which lets go what was held. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
};

/** A real TCP proxy in front of a PostgreSQL server, which can fail as networks do. */
export async function startProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<net.Socket>();
  let frozen: (() => void)[] | null = null;
  let losing = false;
  let lost = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    // Set by what the client sends, so that only the answer to an append is lost, not that of a reader.
    let isWriter = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => {
      isWriter ||= bytes.includes('append-');
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (losing && isWriter) {
        losing = false;
        lost += 1;
        client.destroy();
        return;
      }
      if (frozen === null) client.write(bytes);
      else frozen.push(() => client.write(bytes));
    });
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });

  await listen(0);
  const { port } = server.address() as net.AddressInfo;
  const url = Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(port) }).toString();
  return {
    url,
    loseNextAnswer: () => {
      losing = true;
    },
    lostAnswers: () => lost,
    shut: () => (server.listening ? stop() : Promise.resolve()),
    open: () => (server.listening ? Promise.resolve() : listen(port)),
    freeze: () => {
      frozen ??= [];
    },
    thaw: () => {
      const held = frozen ?? [];
      frozen = null;
      for (const hand of held) hand();
    },
    close: () => (server.listening ? stop() : Promise.resolve()),
  };
}
