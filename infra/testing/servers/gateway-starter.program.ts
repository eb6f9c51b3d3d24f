import { startGateway } from '../../gateway/start-gateway.ts';

/** Starts a gateway in the given folder, says where, and waits to be killed. */
const gateway = await startGateway({
  listen: { host: '127.0.0.1', port: 0 },
  commandServices: ['127.0.0.1:9'],
  queryServices: ['127.0.0.1:9'],
  folder: process.argv[2] ?? '',
  log: () => undefined,
});
process.stdout.write(`${JSON.stringify({ url: gateway?.url, pid: gateway?.pid })}\n`);
setInterval(() => undefined, 60_000);
