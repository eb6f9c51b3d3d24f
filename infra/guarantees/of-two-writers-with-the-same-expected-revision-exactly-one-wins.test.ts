import { RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyEvents, collect } from '../testing/events/any-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningSystem } from '../testing/system/engine.ts';
import { enginesOfEveryLog } from '../testing/system/engines.ts';
import { portEnginesOfEveryLog } from '../testing/system/ports.ts';
import type { Ports } from '../testing/system/ports/port-engine.ts';
import { startRival, rival, type Attempt } from './harness/rival.ts';

const aStream = (): string => streamName('task', newId());
const idsOf = async (log: EventLog, stream: string): Promise<string[]> =>
  (await collect(log.readStream(stream))).map(({ id }) => id);

/** Each event of the log is one winner's, in its place; whoever was told of a win is there; all others were refused. */
async function expectOneWinnerEach(
  log: EventLog,
  streams: readonly string[],
  attempts: readonly Attempt[],
): Promise<void> {
  for (const stream of streams) {
    const own = attempts.filter((attempt) => attempt.stream === stream);
    const won = own.filter((attempt) => attempt.won).sort((a, b) => a.expected - b.expected);
    const wonAt = won.map(({ expected }) => expected);
    expect(wonAt, 'no revision was won twice').toEqual([...new Set(wonAt)]);
    expect(await idsOf(log, stream), 'the log has what the winners wrote').toEqual(won.flatMap(({ ids }) => ids));
  }
}

describe.each(portEnginesOfEveryLog)(
  'of two writers with the same expected revision exactly one wins, $name',
  (engine) => {
    let ports: Ports;
    let logs: readonly EventLog[];
    beforeAll(async () => {
      ports = await engine.open();
      logs = [ports.log, ports.log, (await ports.another()).log];
    });
    afterAll(() => ports.close());

    test('when they create a stream, and at every revision after', async () => {
      for (let round = 0; round < 40; round++) {
        const stream = aStream();
        const before: string[] = [];
        for (const size of [1, 2, 1]) {
          const expected = before.length === 0 ? 'none' : before.length - 1;
          const written = logs.map(() => anyEvents(size));
          const outcomes = await Promise.allSettled(
            logs.map((log, index) => log.append(stream, written[index]!, expected)),
          );
          const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
          expect(winners).toHaveLength(1);
          for (const outcome of outcomes)
            if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RevisionConflict);
          before.push(...written[winners[0]!]!.map(({ id }) => id));
          expect(await idsOf(ports.log, stream)).toEqual(before);
        }
      }
    });

    test('in one process, many at once, over and over', async () => {
      const streams = Array.from({ length: 10 }, aStream);
      const attempts = await Promise.all(streams.flatMap((stream) => logs.map((log) => rival(log, stream, 20))));
      await expectOneWinnerEach(ports.log, streams, attempts.flat());
    });

    test('in two processes', async () => {
      // On a busy machine one may be through before the other begins: then they meet another time.
      let haveMet = false;
      for (let round = 0; !haveMet && round < 5; round++) {
        const streams = Array.from({ length: 30 }, aStream);
        const rivals = [1, 2].map(() => startRival(engine.name, ports.address, streams, 25));
        await Promise.all(rivals.map(({ ready }) => ready));
        const attempts = await Promise.all(rivals.map(({ go }) => go()));
        await expectOneWinnerEach(ports.log, streams, attempts.flat());
        haveMet = attempts.every((own) => own.some(({ won }) => !won));
      }
      expect(haveMet, 'each met the other').toBe(true);
    });
  },
);

describe.each(enginesOfEveryLog)('of two requests with the same If-Match exactly one wins, $name', (engine) => {
  let system: RunningSystem;
  beforeAll(async () => {
    system = await engine.start({}, { storage: 'shared' });
  });
  afterAll(() => system.dispose());

  test('all others are told 412, and the stream has one event more', async () => {
    const { client } = system;
    const { id } = await client.expect2xx('POST', '/tasks', { body: { title: 'begin' } });
    const titles = ['begin'];
    for (let revision = 0; revision < 20; revision++) {
      const wishes = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `${letter}${revision}`);
      const answers = await Promise.all(
        wishes.map((title) => client.send('PATCH', `/tasks/${id}`, { body: { title }, ifMatch: revision })),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
      const winner = statuses.indexOf(200);
      expect(answers[winner]!.revision).toBe(revision + 1);
      titles.push(wishes[winner]!);
    }
    const events = await client.stream(`task-${id}`);
    expect(events.map(({ data }) => (data as { title: string }).title)).toEqual(titles);
  });
});
