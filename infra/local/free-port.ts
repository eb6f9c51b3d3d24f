import { createServer } from 'node:net';

/** The port at 127.0.0.1 if nothing listens there, else any that is free. It may be taken before it is used: be ready for that. */
export async function freePort(wished = 0): Promise<number> {
  const port = (await listenOnce(wished)) ?? (await listenOnce(0));
  if (port === null) throw new Error('no free port at 127.0.0.1');
  return port;
}

export const isFree = async (port: number): Promise<boolean> => (await listenOnce(port)) !== null;

/** The port that it really got; null: it is taken. */
function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen({ port, host: '127.0.0.1' }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
