import { setTimeout as pause } from 'node:timers/promises';
import { describeWithKafka } from '../testing/servers/kafka.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chosen } from '../testing/system/engine.ts';
import { arrived, differing, idsByStream, moreThanOneBatch, wrongMoves, type Frozen } from './harness/relays/judge.ts';
import type { RelayProcess } from './harness/relays/relay-process.ts';
import { startRelayWorld, type Outcome, type RelayWorld } from './harness/relays/relay-world.ts';
import { startServers, type OwnServers } from '../testing/servers/own-servers.ts';
import { isFullLength } from '../testing/system/storm.ts';
import { until } from '../testing/processes/until.ts';

const AWAY = 'kafka is away: waiting for it';
const BACK = 'kafka is back';
const AWAY_SECONDS = isFullLength ? 60 : 5;
const DEPOSED = 'another relay leads: this one has stopped sending';

const LOGS = chosen([
  { name: 'distributed', title: 'PostgreSQL', rounds: isFullLength ? 3 : 2 },
  { name: 'eventstoredb', title: 'EventStoreDB', rounds: isFullLength ? 2 : 1 },
] as const).map(({ name, title, rounds }) => [title, name, rounds] as const);

/** For people who read the run: no test asserts a time. */
const tell = (line: string): void => void process.stdout.write(`the relay: ${line}\n`);
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

describeWithKafka('the relay loses nothing and keeps per-stream order', () => {
  let servers: OwnServers;
  let world: RelayWorld;
  beforeAll(async () => {
    servers = await startServers();
  });
  afterAll(() => servers.dispose());
  afterEach(() => world.dispose());

  const begin = async (engine: 'distributed' | 'eventstoredb'): Promise<void> => {
    world = await startRelayWorld(engine, servers);
    world.startRelay();
    world.startRelay();
    await world.leading();
    await world.untilTwoRun();
  };

  /** What both readers saw is what the log has: nothing missing, nothing twice, every stream in order. */
  async function expectAllThereInOrder(): Promise<Outcome> {
    const outcome = await world.outcome();
    const { logged, records, moves } = outcome;
    const { kept, breaches } = arrived(records);
    tell(
      `${logged.length} events, ${records.length - logged.length} repeats, ${moves.length} writes to the checkpoint`,
    );
    expect(breaches, 'records of a stream in order, repeats only of what was before').toEqual([]);
    expect(differing(idsByStream(logged), kept), 'what a plain consumer kept').toEqual([]);
    expect(differing(idsByStream(logged), await outcome.trails()), 'what the projection was given').toEqual([]);
    expect(wrongMoves(moves, world.relays), 'the checkpoint goes forward, by the leader alone').toEqual([]);
    return outcome;
  }

  describe.each(LOGS)('with the log in %s', (log, engine, rounds) => {
    beforeEach(() => begin(engine));

    test('when the leading relay is killed (kill -9), again and again, in the middle of a load', async () => {
      for (let round = 0; round < rounds; round++) {
        await world.untilTwoRun();
        const { relay, epoch } = await world.leading();
        const { written } = await world.keepBusy();
        const killedAt = performance.now();
        await relay.kill9();
        world.startRelay();
        await world.leading(epoch);
        tell(`${log}: a killed leader was replaced after ${seconds(killedAt)}`);
        await written;
      }
      await world.goOn(50);
      await expectAllThereInOrder();
    });

    test('when the leader is frozen, succeeded, and woken: it sends at most its one batch in flight', async () => {
      const frozen: (Omit<Frozen, 'until'> & { noticed: boolean })[] = [];
      for (let round = 0; round < rounds; round++) {
        const { relay, epoch } = await world.leading();
        await world.untilPublished();
        const busyFrom = Date.now();
        const { written } = await world.keepBusy();
        relay.freeze();
        const frozenAt = Date.now();
        const stoppedAt = performance.now();
        await world.leading(epoch);
        tell(`${log}: a frozen leader was replaced after ${seconds(stoppedAt)}`);
        await written;
        const noticed = await wake(relay);
        frozen.push({ busyFrom, frozenAt, noticed });
        // One that goes on as if it led stands by no more.
        if (!noticed) break;
      }
      const { records, logged } = await expectAllThereInOrder();
      for (const [round, { noticed, ...times }] of frozen.entries()) {
        const term = { ...times, until: frozen[round + 1]?.busyFrom ?? Infinity };
        expect(moreThanOneBatch(records, logged, term), 'what a deposed leader sent').toEqual([]);
        expect(noticed, 'the woken relay says that another one leads').toBe(true);
      }
    });
  });

  /** @returns whether it says that it has been deposed */
  function wake(relay: RelayProcess): Promise<boolean> {
    const told = (): number => relay.said.filter((message) => message === DEPOSED).length;
    const before = told();
    relay.wake();
    return until('the woken relay to notice', () => told() > before, 20).catch(() => false);
  }

  describe.runIf(LOGS.some(([, name]) => name === 'distributed'))(
    'with the log in PostgreSQL, where a server goes away',
    () => {
      beforeEach(() => begin('distributed'));

      test('when Kafka is killed (kill -9) in the middle of a load, and the leading relay while it is away', async () => {
        // The second time is the harder one: all is quiet before, and the leader dies, too.
        for (let round = isFullLength ? 0 : 1; round < 2; round++) {
          const { relay, epoch } = await world.leading();
          const { written } = await world.keepBusy();
          // The batch that was in flight may have arrived: the one that follows after all is quiet has certainly not.
          if (round === 1) await written.then(() => world.untilPublished());
          await servers.kafka.kill9();
          await world.goOn(50);
          if (round === 1) {
            await relay.kill9();
            world.startRelay();
            await world.leading(epoch);
          }
          await world.goOn(50);
          await servers.kafka.start();
          await written;
          await world.untilPublished().catch(() => undefined);
        }
        await expectAllThereInOrder();
      });

      test('when PostgreSQL is killed (kill -9) in the middle of a load', async () => {
        for (let round = 0; round < (isFullLength ? 3 : 1); round++) {
          const { relay } = await world.leading();
          const { written } = await world.keepBusy();
          // So that the log has what the relay has not read when the server goes.
          relay.freeze();
          await world.goOn(100);
          await servers.postgres.kill9();
          relay.wake();
          await servers.postgres.start();
          await written;
          await world.goOn(100);
        }
        await expectAllThereInOrder();
      });

      test('when Kafka is away for long: the relay waits, tells it once, and catches up', async () => {
        const { relay } = await world.leading();
        await servers.kafka.stop();
        await pause(AWAY_SECONDS * 1_000);
        await servers.kafka.start();
        await until('the relay to find Kafka again', () => relay.said.includes(BACK), 60).catch(() => undefined);
        await world.goOn(50);
        await expectAllThereInOrder();
        const told = relay.said.filter((message) => message === AWAY || message === BACK);
        // Once more at most, when the reason becomes another one: refused, then no answer.
        expect([told.slice(0, 1), told.slice(-1), told.length <= 3]).toEqual([[AWAY], [BACK], true]);
        expect(told.filter((message) => message === BACK)).toHaveLength(1);
      });
    },
  );
});
