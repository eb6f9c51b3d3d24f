import { expect, it } from 'vitest';
import { PARTITIONS } from '../event-bus/port.ts';
import { whatIsMissed } from './topics.ts';

const ids = (task: string, agent: string) => new Map([['task', task] as const, ['agent', agent] as const]);
const positions = new Map([
  ['task/1', 70n],
  ['task/2', 40n],
  ['task/3', null],
  ['agent/1', 10n],
]);

it('of partitions that were lost, what comes after the lowest of their positions', () => {
  const lost = [1, 2].map((partition) => ({ topic: 'task' as const, partition }));
  expect(whatIsMissed(lost, ids('a', 'b'), ids('a', 'b'), positions)).toEqual({
    places: new Set(['task/1', 'task/2']),
    topics: ['task'],
    after: 40n,
  });
});

it.each([3, 4])('everything of partition %i, whose position is not known', (partition) => {
  const lost = [
    { topic: 'task' as const, partition },
    { topic: 'agent' as const, partition: 1 },
  ];
  expect(whatIsMissed(lost, ids('a', 'b'), ids('a', 'b'), positions).after).toBe(0n);
});

it('everything of a topic that was made anew, all its partitions: its positions may be of the new one already', () => {
  const { places, topics, after } = whatIsMissed(
    [{ topic: 'task', partition: 1 }],
    ids('a', 'b'),
    ids('c', 'b'),
    positions,
  );
  expect([places.size, topics, after]).toEqual([PARTITIONS, ['task'], 0n]);
  expect(whatIsMissed([], new Map(), ids('a', 'b'), positions).places.size).toBe(2 * PARTITIONS);
});
