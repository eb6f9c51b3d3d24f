import { execFile } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { AccessRefused } from '../errors.ts';
import { anyEvents, collect } from '@workledger/infra/testing/events/any-event.ts';
import { startDoubleServer, type DoubleServer } from './double/server.ts';
import { startDouble } from './double/start-double.ts';
import { createEventStoreDbLog } from './event-log.ts';
import { listen } from './testing.ts';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

const PROGRAM = fileURLToPath(new URL('../testing/use-eventstoredb.program.ts', import.meta.url));
let double: DoubleServer;
beforeAll(async () => {
  double = await startDoubleServer();
});
afterAll(() => double.close());

it('a process that used the log ends by itself after close', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeArguments(PROGRAM), double.connectionString]);
  expect(stdout).toBe('0\n');
});

it('a server that is missing at the start is waited for', async () => {
  const port = await freePort();
  const log = await createEventStoreDbLog({
    connectionString: `esdb://127.0.0.1:${port}?tls=false`,
    patienceMilliseconds: 30_000,
  });
  const stream = streamName('task', newId());
  const listener = listen(log, {});
  const appending = log.append(stream, anyEvents(2), 'none');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const late = await startDoubleServer({ port });
  expect((await appending).revision).toBe(1);
  await listener.heard(stream, 2);
  await listener.stop();
  await log.close();
  await late.close();
});

it('what the double keeps as a process of its own outlives the log that wrote it; its faults can be told from outside', async () => {
  const apart = await startDouble();
  const stream = streamName('task', newId());
  const first = await createEventStoreDbLog({ connectionString: apart.connectionString });
  await apart.fault('drop-after-write');
  await first.append(stream, anyEvents(2), 'none');
  await first.close();
  const second = await createEventStoreDbLog({ connectionString: apart.connectionString });
  expect(await collect(second.readStream(stream))).toHaveLength(2);
  expect(await apart.counts()).toMatchObject({ appends: 1 });
  await second.close();
  await apart.close();
});

it('the head is that of the last event which is not the server’s own, and 0 while there is none', async () => {
  const own = await startDoubleServer();
  const log = await createEventStoreDbLog({ connectionString: own.connectionString });
  expect(await log.head()).toBe(0n);
  for (let times = 0; times < 30; times++) {
    const { position } = await log.append(streamName('task', newId()), anyEvents(1), 'none');
    expect(await log.head()).toBe(position);
  }
  await log.close();
  await own.close();
});

it('events of other users of the server are passed over, but count as seen', async () => {
  const log = await createEventStoreDbLog({ connectionString: double.connectionString });
  const client = EventStoreDBClient.connectionString(double.connectionString);
  const after = await log.head();
  const theirs = streamName('task', newId());
  await client.appendToStream(theirs, jsonEvent({ type: 'Theirs', data: {}, metadata: { schemaVersion: 'x' } }));
  await client.appendToStream('no name of ours', jsonEvent({ type: 'Theirs', data: {} }));
  const last = await client.appendToStream(theirs, jsonEvent({ type: 'Theirs', data: [1], metadata: [1] }));
  expect(await collect(log.readStream(theirs))).toEqual([]);
  expect(await collect(log.readAll({ after }))).toEqual([]);
  expect(await log.head()).toBe(last.position?.commit);
  const listener = listen(log, { after });
  await listener.caughtUp();
  await listener.stop();
  expect(listener.batches.flatMap(({ events }) => events)).toEqual([]);
  expect(listener.batches.at(-1)?.next).toBe(last.position?.commit);
  await client.dispose();
  await log.close();
});

it('refuses a connection string that it cannot use, without repeating its password', async () => {
  for (const connectionString of ['postgres://a:secret@b', 'esdb://a:secret@:x', 'esdb://a:secret@b?tls=maybe'])
    await expect(createEventStoreDbLog({ connectionString })).rejects.toThrow(
      /^EventStoreDB connection string: (?!.*secret)/,
    );
});

it.each([
  ['unauthenticated', /refuses the user or its password/],
  ['denied', /denies access/],
] as const)('who is %s is told so, and nothing is written', async (fault, words) => {
  const own = await startDoubleServer();
  const log = await createEventStoreDbLog({ connectionString: own.connectionString });
  const stream = streamName('task', newId());
  await own.fault(fault);
  for (const trying of [
    () => log.append(stream, anyEvents(1), 'none'),
    () => collect(log.readStream(stream)),
    () => collect(log.readAll()),
    () => log.head(),
  ]) {
    const error = await trying().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AccessRefused);
    expect(String(error)).toMatch(words);
  }
  expect((await own.counts()).appends).toBe(0);
  await own.fault('admitted');
  expect((await log.append(stream, anyEvents(1), 'none')).revision).toBe(0);
  await log.close();
  await own.close();
});

it.each(['tlsCAFile', 'userCertFile', 'userKeyFile'])('names a %s that is missing', async (option) => {
  const connectionString = `esdb://a:secret@127.0.0.1:1?${option}=/no/such%20file`;
  await expect(createEventStoreDbLog({ connectionString })).rejects.toThrow(
    `EventStoreDB connection string: ${option}: there is no file /no/such file`,
  );
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
