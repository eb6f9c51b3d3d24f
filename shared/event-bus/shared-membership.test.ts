import { expect, it } from 'vitest';
import { OffsetOutOfRange, type ConsumeOptions, type Consumer, type EventBus } from './port.ts';
import { shareMembership } from './shared-membership.ts';

const TASK = { topic: 'task', partition: 0 } as const;
const AGENT = { topic: 'agent', partition: 0 } as const;
const MEMBERSHIP = { group: 'all', topics: ['task', 'agent'] as const };

type Session = { readonly options: ConsumeOptions; readonly consumer: Consumer; fail(reason: Error): void };

/** A bus that hands nothing out by itself, and tells of each session when it is there. */
function idleBus(topicIds: ReadonlyMap<'task' | 'agent', string> = new Map()) {
  const sessions: Session[] = [];
  const bus: Partial<EventBus> = {
    topicIds: () => Promise.resolve(topicIds),
    endOffsets: () => Promise.resolve(new Map([['agent/0', 77n]])),
    consume: (options, consumer) =>
      new Promise((resolve, reject) => {
        options.signal.addEventListener('abort', () => resolve());
        sessions.push({ options, consumer, fail: reject });
      }),
  };
  return { bus: bus as EventBus, sessions };
}

const resumesAt = (offset: bigint): Consumer => ({
  resume: (partitions) =>
    Promise.resolve(new Map(partitions.map(({ topic, partition }) => [`${topic}/${partition}`, offset]))),
  handle: ({ next }) => Promise.resolve(next),
});
const never = new AbortController().signal;
function stoppable() {
  const stopping = new AbortController();
  return { signal: stopping.signal, abort: () => stopping.abort() };
}
const reasonOf = (ended: Promise<void>): Promise<unknown> =>
  ended.then(
    () => null,
    (reason: unknown) => reason,
  );

it('is one session for all, from the place of the one that is furthest back', async () => {
  const { bus, sessions } = idleBus();
  const shared = shareMembership(bus, { ...MEMBERSHIP, consumers: 2 });
  void shared.consume({ group: 'one', topics: ['task'], signal: never }, resumesAt(30n));
  void shared.consume({ group: 'other', topics: ['task', 'agent'], signal: never }, resumesAt(10n));
  await expect.poll(() => sessions.length).toBe(1);
  const [{ options, consumer }] = sessions as [Session];
  expect(options).toMatchObject({ group: 'all', topics: ['task', 'agent'] });
  expect(await consumer.resume([TASK, AGENT])).toEqual(
    new Map([
      ['task/0', 10n],
      ['agent/0', 10n],
    ]),
  );
});

it('passes over a topic that nobody reads yet', async () => {
  const { bus, sessions } = idleBus();
  const shared = shareMembership(bus, { ...MEMBERSHIP, consumers: 1 });
  void shared.consume({ group: 'one', topics: ['task'], signal: never }, resumesAt(30n));
  await expect.poll(() => sessions.length).toBe(1);
  expect(await sessions[0]!.consumer.resume([TASK, AGENT])).toEqual(
    new Map([
      ['task/0', 30n],
      ['agent/0', 77n],
    ]),
  );
});

it('tells of what is lost those who read it, and goes on with the others', async () => {
  const { bus, sessions } = idleBus();
  const shared = shareMembership(bus, { ...MEMBERSHIP, consumers: 2 });
  const { signal, abort } = stoppable();
  const tasks = shared.consume({ group: 'tasks', topics: ['task'], signal }, resumesAt(0n));
  const agents = shared.consume({ group: 'agents', topics: ['agent'], signal }, resumesAt(5n));
  await expect.poll(() => sessions.length).toBe(1);
  sessions[0]!.fail(new OffsetOutOfRange([TASK]));
  expect(await reasonOf(tasks)).toEqual(new OffsetOutOfRange([TASK]));
  await expect.poll(() => sessions.length).toBe(2);
  expect(await sessions[1]!.consumer.resume([AGENT])).toEqual(new Map([['agent/0', 5n]]));
  abort();
  expect(await reasonOf(agents)).toBeNull();
});

it('whoever knows a topic by another id than the others is told, if that is not the one that is there', async () => {
  const { bus, sessions } = idleBus(new Map([['task', 'new']]));
  const shared = shareMembership(bus, { ...MEMBERSHIP, consumers: 2 });
  const consume = (id: string): Promise<void> =>
    shared.consume({ group: id, topics: ['task'], topicIds: new Map([['task', id]]), signal: never }, resumesAt(1n));
  const old = consume('old');
  void consume('new');
  await expect.poll(() => sessions.length).toBe(1);
  expect(sessions[0]!.options.topicIds?.has('task')).toBe(false);
  await sessions[0]!.consumer.resume([TASK]);
  expect(await reasonOf(old)).toEqual(new OffsetOutOfRange([TASK]));
  await expect.poll(() => sessions.length).toBe(2);
  expect(sessions[1]!.options.topicIds).toEqual(new Map([['task', 'new']]));
});

it('ends each as its signal says, and all with the bus', async () => {
  const { bus, sessions } = idleBus();
  const shared = shareMembership(bus, { ...MEMBERSHIP, consumers: 2 });
  const stopping = new AbortController();
  const one = shared.consume({ group: 'one', topics: ['task'], signal: stopping.signal }, resumesAt(0n));
  const other = shared.consume({ group: 'other', topics: ['task'], signal: never }, resumesAt(0n));
  await expect.poll(() => sessions.length).toBe(1);
  stopping.abort();
  expect(await reasonOf(one)).toBeNull();
  await expect.poll(() => sessions.length).toBe(2);
  const gone = new Error('the bus is gone for good');
  sessions[1]!.fail(gone);
  expect(await reasonOf(other)).toBe(gone);
});
