import { fileURLToPath } from 'node:url';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { anyEvents } from '../../testing/events/any-event.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '../../testing/servers/kafka.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCommand, type Program } from '../../testing/processes/program.ts';

const EXAMPLE = fileURLToPath(new URL('./consume-events.ts', import.meta.url));

describeWithKafka('the example of a consumer in another system', () => {
  const topicPrefix = `example-${newId()}`;
  const streams = Array.from({ length: 30 }, (_, index) => streamName(index % 2 === 0 ? 'task' : 'agent', newId()));
  let revision = 0;
  let position = 0n;
  let bus: KafkaBus;
  let program: Program | undefined;

  beforeAll(async () => {
    bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
    await bus.ensureTopics();
  });
  afterAll(() => bus.close());
  afterEach(async () => {
    program?.signal('SIGKILL');
    await program?.ended;
  });

  /** So many new events of every stream, as a log would record them. */
  function recordRound(count: number): RecordedEvent[] {
    const from = revision;
    revision += count;
    const recordedAt = new Date();
    return streams.flatMap((stream) =>
      anyEvents(count).map((event, index) => ({
        ...event,
        stream,
        revision: from + index,
        position: (position += 1n),
        recordedAt,
      })),
    );
  }

  function start(): Program {
    const environment = {
      KAFKA_BROKERS: kafkaBrokers().join(','),
      GROUP: topicPrefix,
      TOPICS: `${topicPrefix}.task,${topicPrefix}.agent`,
    };
    const command = ['--import', import.meta.resolve('tsx'), EXAMPLE];
    return (program = startCommand(process.execPath, command, { environment }));
  }
  const lineOf = ({ stream, revision, type, data }: RecordedEvent): string =>
    `${stream} ${revision} workledger.${streamType(stream)}.${type}.v1 ${JSON.stringify(data)}`;
  /** Waits for the last event of each stream: what was before it in its partition is told by then. */
  async function told({ until, written }: Program, last: readonly RecordedEvent[]): Promise<string[]> {
    for (const event of last) await until(new RegExp(`^${event.stream} ${event.revision} `, 'm'));
    // kafkajs logs to the same stream, in JSON.
    return written.stdout
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('{'));
  }
  const perStream = (lines: readonly string[]): string[][] =>
    streams.map((stream) => lines.filter((line) => line.startsWith(`${stream} `)));

  test('sees every event once, in the order of its stream, although some are sent again', async () => {
    const rounds = Array.from({ length: 6 }, () => recordRound(2));
    for (const round of rounds.slice(0, 3)) await bus.publish(round);
    const running = start();
    // As a relay that took over goes on from an older checkpoint.
    for (const round of rounds.slice(1, 5)) await bus.publish(round);
    await bus.publish(rounds[4]!);
    await bus.publish(rounds[5]!);

    const lines = await told(running, rounds[5]!);
    expect(perStream(lines)).toEqual(perStream(rounds.flat().map(lineOf)));
    expect(lines).toHaveLength(rounds.flat().length);
    running.signal('SIGTERM');
    expect(await running.ended).toBe(0);
  });

  test('goes on where it stopped', async () => {
    const later = recordRound(1);
    await bus.publish(later);
    const running = start();
    expect((await told(running, later)).toSorted()).toEqual(later.map(lineOf).toSorted());
    running.signal('SIGTERM');
    expect(await running.ended).toBe(0);
  });
});
