import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import { createAuthority } from '@workledger/infra/testing/servers/authority.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { accessFault } from '../../resilience/outages/signs.ts';
import type { EventLog } from '../port.ts';
import { startDoubleServer, type DoubleServer } from './double/server.ts';
import { createEventStoreDbLog } from './event-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'workledger-esdb-tls-'));
let double: DoubleServer;
let port: number;
let stop: () => void;

/** TLS in front of the double, as the real server ends it itself. */
beforeAll(async () => {
  const authority = await createAuthority();
  const { certificate, key } = await authority.issue('localhost');
  writeFileSync(join(folder, 'ca.crt'), authority.certificate);
  writeFileSync(join(folder, 'another.crt'), (await createAuthority()).certificate);
  double = await startDoubleServer();
  const behind = Number(/:(\d+)\?/.exec(double.connectionString)?.[1]);
  const server = createServer({ cert: certificate, key, ALPNProtocols: ['h2'] }, (client) => {
    const upstream = connect(behind, '127.0.0.1');
    client.on('error', () => upstream.destroy()).pipe(upstream);
    upstream.on('error', () => client.destroy()).pipe(client);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  stop = () => void server.close();
});
afterAll(async () => {
  stop();
  await double.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (ca: string): Promise<EventLog> =>
  createEventStoreDbLog({
    connectionString: `esdb://ops:sesame@localhost:${port}?tls=true&tlsCAFile=${encodeURIComponent(join(folder, ca))}`,
  });

it('appends and reads over TLS, as a user', async () => {
  const log = await open('ca.crt');
  const stream = streamName('task', newId());
  expect((await log.append(stream, anyEvents(2), 'none')).revision).toBe(1);
  expect(await collect(log.readStream(stream))).toHaveLength(2);
  await log.close();
});

it('writes nothing to a server that another authority vouches for, and shows no password', async () => {
  const before = (await double.counts()).appends;
  const log = await open('another.crt');
  const error: unknown = await log
    .append(streamName('task', newId()), anyEvents(1), 'none')
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).not.toContain('sesame');
  expect(accessFault(error)).toMatch(/^its certificate is not accepted \(/);
  expect((await double.counts()).appends).toBe(before);
  await log.close();
});
