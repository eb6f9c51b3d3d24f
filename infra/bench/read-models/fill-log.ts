import { encode } from '@workledger/shared/events/codec.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyMetadata } from '../../testing/events/any-event.ts';
import { makeHistories, type StreamHistory } from '../../testing/events/histories.ts';
import { createRandom, type Random } from '../../testing/events/random.ts';

/** Streams of a type in one round: tasks are most of what happens, keys and agents little. */
const MIX = { task: 24, delivery: 6, generation: 6, validation: 6, 'saga-code-evolution': 6, evolution: 2, agent: 1 };
/** Streams that are written at the same time. */
const OPEN = 200;

/** Fills a log with streams as a busy system has them, their events mixed, one or two an append. @returns events written */
export async function fillLog(log: EventLog, atLeast: number): Promise<number> {
  const random = createRandom(1);
  const waiting: StreamHistory[] = [];
  let written = 0;
  const writeOne = async (): Promise<void> => {
    while (written < atLeast) {
      if (waiting.length === 0) waiting.push(...nextRound(random));
      const next = waiting.pop();
      if (next === undefined) continue;
      written += next.events.length;
      await write(log, next, random);
    }
  };
  await Promise.all(Array.from({ length: OPEN }, writeOne));
  return written;
}

const nextRound = (random: Random): StreamHistory[] =>
  Object.entries(MIX)
    .flatMap(([type, count]) => makeHistories(random, count, [type]))
    .map((history) => ({ history, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ history }) => history);

async function write(log: EventLog, { stream, events }: StreamHistory, random: Random): Promise<void> {
  let revision: number | 'none' = 'none';
  for (let from = 0; from < events.length;) {
    const part = events.slice(from, from + 1 + random.below(2));
    from += part.length;
    ({ revision } = await log.append(stream, encode(stream, part, anyMetadata()), revision));
  }
}
