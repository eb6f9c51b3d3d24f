import { expect, it } from 'vitest';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { history } from '@workledger/infra/testing/events/history.ts';
import { createdTask, retitled } from '@workledger/infra/testing/events/task-events.ts';
import { interleave } from './interleave.ts';

const streams = Array.from({ length: 5 }, () => streamName('task', newId()));
const events = streams.flatMap((stream) => history(stream, [createdTask({}), retitled('a'), retitled('b')]));

it('keeps every event, and each stream in its own order', () => {
  const shuffled = interleave(events, Math.random);
  expect(shuffled).toHaveLength(events.length);
  for (const name of streams)
    expect(shuffled.filter(({ stream }) => stream === name).map(({ revision }) => revision)).toEqual([0, 1, 2]);
});

it('mixes the streams', () => {
  let seed = 0;
  const alternating = interleave(events, () => (seed++ % 5) / 5);
  expect(alternating.slice(0, 5).map(({ stream }) => stream)).toEqual(streams);
});
