import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { moveCheckpoint } from './checkpoint.ts';
import { releaseLease, renewLease, takeLease } from './lease.ts';
import { firstArrivals, openRelayTest, type RelayTest } from './testing/relay-test.ts';
import { createHeldAnswer, createRecordingBus, type RecordingBus } from './testing/recording-bus.ts';

let test: RelayTest;
let bus: RecordingBus;

beforeEach(async () => {
  test = await openRelayTest();
  bus = createRecordingBus();
});

afterEach(() => test.close());

const allArrived = async (): Promise<boolean> => (await test.leader()).checkpoint === (await test.log.head());
const leads = (owner: string) => async (): Promise<boolean> => (await test.leader()).owner === owner;

async function expectNothingMissing(...buses: readonly RecordingBus[]): Promise<void> {
  expect(firstArrivals(buses.flatMap((each) => each.events()))).toEqual(firstArrivals(await test.logged()));
}

describe('the lease', () => {
  it('is taken by one, and by the next only when it was released or has run out; each time the epoch rises', async () => {
    const { pool } = test.database;
    expect(await takeLease(pool, 'first', 60_000)).toEqual({ taken: true, epoch: 1n, checkpoint: 0n });
    expect(await moveCheckpoint(pool, 1n, 7n)).toBe(true);
    expect(await takeLease(pool, 'second', 60_000)).toEqual({ taken: false, epoch: 1n, checkpoint: 7n });
    await releaseLease(pool, 1n);
    expect(await takeLease(pool, 'second', 1)).toEqual({ taken: true, epoch: 2n, checkpoint: 7n });
    await untilTrue(async () => (await takeLease(pool, 'third', 60_000)).taken);
    expect(await test.leader()).toEqual({ owner: 'third', epoch: 3n, checkpoint: 7n, held: true });
  });

  it('is taken by one of many who try at the same time', async () => {
    const tries = Array.from({ length: 8 }, (_, number) => takeLease(test.database.pool, `relay ${number}`, 60_000));
    expect((await Promise.all(tries)).filter(({ taken }) => taken)).toHaveLength(1);
    expect((await test.leader()).epoch).toBe(1n);
  });

  it('gives an old epoch nothing: no renewal, no release, no checkpoint; and the checkpoint never moves back', async () => {
    const { pool } = test.database;
    await takeLease(pool, 'old', 60_000);
    await releaseLease(pool, 1n);
    await takeLease(pool, 'new', 60_000);
    expect(await moveCheckpoint(pool, 2n, 20n)).toBe(true);
    const before = await test.leader();
    expect(await moveCheckpoint(pool, 1n, 30n)).toBe(false);
    expect(await renewLease(pool, 1n, 60_000)).toBe(false);
    await releaseLease(pool, 1n);
    expect(await moveCheckpoint(pool, 2n, 10n)).toBe(true);
    expect(await test.leader()).toEqual(before);
  });
});

describe('a relay whose bus fails', () => {
  it('sends again until it arrives: repeats, never a gap; leads on meanwhile, and says it once', async () => {
    let failures = 0;
    bus.behave(async () => (failures++ % 2 === 0 ? 'lost' : 'failed after it arrived'));
    const relay = test.startRelay(bus, { owner: 'one' });
    await test.fill({ streams: 10, events: 250 });
    await untilTrue(() => bus.calls() >= 6);
    await untilTrue(() => (relay.state()?.lagSeconds ?? 0) > 1);
    const during = await test.leader();
    expect(during).toMatchObject({ owner: 'one', epoch: 1n, checkpoint: 0n, held: true });
    bus.behave(async () => 'arrived');
    await untilTrue(allArrived);
    await expectNothingMissing(bus);
    await untilTrue(() => relay.state()?.lagPositions === 0 && relay.state()?.lagSeconds === 0);
    expect(relay.state()).toMatchObject({ role: 'leader', epoch: 1, checkpoint: '2500' });
    expect(relay.said()).toEqual(['this relay leads', 'event-bus is away: waiting for it', 'event-bus is back']);
  });

  it('has one publish in flight, however long it takes', async () => {
    let most = 0;
    bus.behave(async () => {
      most = Math.max(most, bus.pending());
      await new Promise((resolve) => setTimeout(resolve, 5));
      return 'arrived';
    });
    test.startRelay(bus);
    await test.fill({ streams: 20, events: 200 });
    await untilTrue(allArrived);
    expect(most).toBe(1);
    expect(bus.events()).toEqual(await test.logged());
  });

  it('ends when it shall stop although the bus never answers; the next one sends that batch again', async () => {
    bus.behave(() => new Promise(() => undefined));
    const relay = test.startRelay(bus);
    await test.fill({ streams: 2, events: 10 });
    await untilTrue(() => bus.pending() === 1);
    await relay.stop();
    expect(await test.leader()).toMatchObject({ checkpoint: 0n, held: false });
    const next = createRecordingBus();
    test.startRelay(next);
    await untilTrue(allArrived);
    expect(next.events()).toEqual(await test.logged());
  });

  it('stops only after the answer to its batch in hand, and keeps its checkpoint', async () => {
    const answer = createHeldAnswer();
    bus.behave(() => answer.given);
    await test.fill({ streams: 1, events: 10 });
    const relay = test.startRelay(bus, { leaseMilliseconds: 20_000 });
    await untilTrue(() => bus.pending() === 1);
    const stopped = relay.stop();
    answer.give('arrived');
    await stopped;
    expect(await test.leader()).toMatchObject({ checkpoint: 10n, held: false });
    expect(bus.calls()).toBe(1);
  });
});

describe('two relays', () => {
  it('lead one at a time', async () => {
    const other = createRecordingBus();
    const relays = [test.startRelay(bus), test.startRelay(other)];
    await test.fill({ streams: 10, events: 100 });
    await untilTrue(allArrived);
    await untilTrue(() => relays.every((relay) => relay.state()?.checkpoint === '1000'));
    expect(relays.map((relay) => relay.state()?.role).sort()).toEqual(['leader', 'standby']);
    expect([bus.events().length, other.events().length].sort()).toEqual([0, 1000].sort());
  });

  it('hand over at once when the leader stops: the lease would last much longer', async () => {
    const options = { leaseMilliseconds: 60_000 };
    const first = test.startRelay(bus, { ...options, owner: 'first' });
    await untilTrue(leads('first'));
    const other = createRecordingBus();
    test.startRelay(other, { ...options, owner: 'second' });
    await test.fill({ streams: 1, events: 10 });
    await untilTrue(allArrived);
    await first.stop();
    await untilTrue(leads('second'));
    await test.fill({ streams: 1, events: 10 });
    await untilTrue(allArrived);
    expect([bus.events().length, other.events().length]).toEqual([10, 10]);
  });

  it('a leader whose lease ran out while its publish hung sends nothing more, and its checkpoint is refused', async () => {
    const answer = createHeldAnswer();
    bus.behave(() => answer.given);
    const ownPool = createDatabasePool({ connectionString: test.database.url, max: 3, applicationName: 'deposed' });
    const deposed = test.startRelay(bus, { pool: ownPool, owner: 'deposed' });
    await test.fill({ streams: 10, events: 250 });
    await untilTrue(() => bus.pending() === 1);
    // No connection is left for renewals.
    const taken = await Promise.all([1, 2, 3].map(() => ownPool.connect()));
    const other = createRecordingBus();
    other.behave(() => new Promise(() => undefined));
    test.startRelay(other, { owner: 'successor' });
    await untilTrue(leads('successor'));
    await untilTrue(() => other.pending() === 1);
    answer.give('arrived');
    await untilTrue(() => bus.pending() === 0);
    for (const client of taken) client.release();
    await untilTrue(() => deposed.said().includes('another relay leads: this one has stopped sending'));
    await untilTrue(() => deposed.state()?.role === 'standby');
    expect(await test.leader()).toMatchObject({ owner: 'successor', epoch: 2n, checkpoint: 0n });
    expect(bus.calls()).toBe(1);
    await deposed.stop();
    await ownPool.end();
  });
});

describe('a relay whose database goes away', () => {
  it('sends nothing once its lease has run out, says it once, and goes on when the database is back', async () => {
    const server = new pg.Client({
      connectionString: Object.assign(new URL(test.database.url), { pathname: '/postgres' }).toString(),
    });
    await server.connect();
    const name = new URL(test.database.url).pathname.slice(1);
    const answer = createHeldAnswer();
    bus.behave(() => answer.given);
    const relay = test.startRelay(bus, { owner: 'one' });
    await test.fill({ streams: 10, events: 250 });
    await untilTrue(() => bus.pending() === 1);

    await server.query(`alter database ${name} allow_connections false`);
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    await untilTrue(() => relay.said().includes('postgresql is away: waiting for it'));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    answer.give('arrived');
    await untilTrue(() => bus.pending() === 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(bus.calls()).toBe(1);

    await server.query(`alter database ${name} allow_connections true`);
    await server.end();
    await untilTrue(allArrived);
    await expectNothingMissing(bus);
    // Once more at most: connections that are cut and those that are refused are two reasons.
    expect(relay.said().filter((message) => message.startsWith('postgresql')).length).toBeLessThanOrEqual(3);
    expect([...new Set(relay.said().filter((message) => message.startsWith('postgresql')))]).toEqual([
      'postgresql is away: waiting for it',
      'postgresql is back',
    ]);
  });
});

describe('a relay whose log fails', () => {
  it('reads on where it was, and says so', async () => {
    let failures = 3;
    const log = {
      ...test.log,
      async *subscribe(options: Parameters<typeof test.log.subscribe>[0]) {
        for await (const batch of test.log.subscribe(options)) {
          yield batch;
          if (failures-- > 0) throw new Error('the log does not answer');
        }
      },
    };
    await test.fill({ streams: 10, events: 100 });
    const relay = test.startRelay(bus, { log });
    await untilTrue(allArrived);
    expect(bus.events()).toEqual(await test.logged());
    expect(relay.said()).toEqual(expect.arrayContaining(['event-log is away: waiting for it', 'event-log is back']));
  });
});
