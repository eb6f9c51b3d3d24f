import { expect, it } from 'vitest';
import type { MergeQueueEvent } from '@workledger/shared/contexts/evolution/merge-queue/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { history, newRun, timeOf } from '@workledger/infra/testing/events/history.ts';
import { foldAll } from '../engine/fold-all.ts';
import { mergeQueues } from './projection.ts';

it('says who has the turn, who waits, and how each place ended', () => {
  const [queueId, first, second, early] = [newId(), newRun(), newRun(), newRun()];
  const place = { repository: 'sample', baseBranch: 'main' };
  const events: MergeQueueEvent[] = [
    { type: 'MergeQueued', data: { ...first, ...place } },
    { type: 'MergeTurnBegan', data: first },
    { type: 'MergeQueued', data: { ...second, ...place } },
    { type: 'MergeTurnEnded', data: { ...first, outcome: 'sent-back', reason: 'a conflict' } },
    { type: 'MergeTurnBegan', data: second },
    { type: 'MergeTurnEnded', data: { ...early, outcome: 'left', reason: null } },
    { type: 'MergeQueued', data: { ...first, ...place } },
  ];
  const rows = (length: number) => [
    ...foldAll(mergeQueues, history(streamName('merge-queue', queueId), events.slice(0, length))).values(),
  ];
  const of = (run: typeof first) => ({ id: run.runId, taskId: run.taskId, queueId, ...place });
  expect(rows(4)).toEqual([
    {
      ...of(first),
      ...{ revision: 3, state: 'sent-back', reason: 'a conflict' },
      ...{ queuedAt: timeOf(0), turnBeganAt: timeOf(1), endedAt: timeOf(3) },
    },
    {
      ...of(second),
      ...{ revision: 2, state: 'waiting', reason: null, queuedAt: timeOf(2), turnBeganAt: null, endedAt: null },
    },
  ]);
  expect(rows(7)).toEqual([
    {
      ...of(first),
      ...{ revision: 6, state: 'waiting', reason: null, queuedAt: timeOf(6), turnBeganAt: null, endedAt: null },
    },
    {
      ...of(second),
      ...{ revision: 4, state: 'turn', reason: null, queuedAt: timeOf(2), turnBeganAt: timeOf(4), endedAt: null },
    },
  ]);
});
