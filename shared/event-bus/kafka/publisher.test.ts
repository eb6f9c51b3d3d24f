import { expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { bytesOf } from './message.ts';
import { cutIntoRequests } from './publisher.ts';
import { createRecorder } from './testing/feed.ts';

const text = (bytes: number) => ({ text: 'x'.repeat(bytes) });
const sizes = (events: Parameters<typeof cutIntoRequests>[0]): number[] =>
  [...cutIntoRequests(events)].map((request) => request.events);

it('puts few events into one request, by topic, in order', () => {
  const record = createRecorder();
  const [task, agent] = [streamName('task', newId()), streamName('agent', newId())];
  const events = [...record(task, 2), ...record(agent, 1), ...record(task, 1)];
  const [request, ...others] = cutIntoRequests(events);
  expect(others).toEqual([]);
  expect([...(request?.messages.keys() ?? [])]).toEqual(['task', 'agent']);
  const revisions = request?.messages
    .get('task')
    ?.map(({ value }) => (JSON.parse(value.toString()) as { revision: number }).revision);
  expect(revisions).toEqual([0, 1, 2]);
});

it('puts less than 900 KB of a partition into a request, whatever the sizes', () => {
  const stream = streamName('task', newId());
  const events = createRecorder()(stream, 40).map((event, index) => ({ ...event, data: text((index % 5) * 60_000) }));
  const requests = [...cutIntoRequests(events)];
  expect(requests.reduce((sum, request) => sum + request.events, 0)).toBe(40);
  for (const { messages } of requests)
    expect(messages.get('task')?.reduce((sum, message) => sum + bytesOf(message), 0)).toBeLessThanOrEqual(900_000);
});

it('bounds the whole request, however many partitions share it', () => {
  const record = createRecorder();
  const events = Array.from({ length: 100 }, () => record(streamName('task', newId()), 1))
    .flat()
    .map((event) => ({ ...event, data: text(100_000) }));
  for (const size of sizes(events)) expect(size).toBeLessThanOrEqual(40);
});

it('sends nothing for nothing, and what is too large alone', () => {
  expect(sizes([])).toEqual([]);
  const events = createRecorder()(streamName('task', newId()), 3).map((event) => ({ ...event, data: text(950_000) }));
  expect(sizes(events)).toEqual([1, 1, 1]);
});

it('refuses a stream of no type of the catalogue', () => {
  expect(() => sizes(createRecorder()(streamName('unheard-of', newId()), 1))).toThrow('it has no topic');
});
