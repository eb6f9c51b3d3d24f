import net from 'node:net';

/** What lies between a client and the server: a process that may be killed, frozen or away, without its memory being lost. */
export type Front = {
  readonly port: number;
  /** Cuts every connection, as kill -9 of the server does. */
  cut(): void;
  /** Connections are accepted and kept, and nothing is answered, as after SIGSTOP. */
  freeze(): void;
  thaw(): void;
  /** The connections of this moment fall silent for ever; new ones are served. */
  halfOpen(): void;
  /** Nobody listens any more. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
};

/** @param upstream port of the server itself @param port to listen on; 0 = any */
export async function startFront(upstream: number, port = 0): Promise<Front> {
  const sockets = new Set<net.Socket>();
  const silent = new WeakSet<net.Socket>();
  let frozen = false;
  const hold = (socket: net.Socket): void => {
    sockets.add(socket);
    if (frozen) socket.pause();
  };
  const server = net.createServer((client) => {
    const behind = net.connect(upstream, '127.0.0.1');
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => {
        if (!frozen && !silent.has(from)) from.resume();
      });
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      hold(from);
    }
  });
  const listen = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  await listen(port);
  const taken = (server.address() as net.AddressInfo).port;
  return {
    port: taken,
    cut,
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) if (!silent.has(socket)) socket.resume();
    },
    halfOpen: () => {
      for (const socket of sockets) silent.add(socket.pause());
    },
    leave: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        cut();
      }),
    comeBack: () => (server.listening ? Promise.resolve() : listen(taken)),
  };
}
