import type { Pool } from 'pg';
import { taskModel } from '@workledger/shared/contexts/task/task/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { anyId, readRow } from '../reading/query-route.ts';
import { demandWithin } from '../reading/scope.ts';
import { historyEntry } from '../api/task.ts';
import type { Feed, Told } from './feed.ts';
import { isOf } from './message-feeds.ts';

type OfRun = Omit<Told, 'feed' | 'key'>;

/** `task:<id>`: what happens to a task, the notes of who works on it, and the steps of its run. */
export const taskFeed = (pool: Pool): Feed => ({
  name: 'task',
  streams: ['task', 'saga-code-evolution'],
  argument: { noun: 'id', schema: anyId },
  open: async (id, { repositories }) => {
    await demandWithin(pool, repositories, id, { noun: 'task', id });
    const { claimId } = await readRow(pool, taskModel, id, 'task');
    return [id, ...(claimId === null ? [] : [runOf(claimId)])];
  },
  tell: (recorded) => {
    const event = upcast(recorded);
    if (!isOf(event, 'task'))
      return ofRun(event).map((told) => ({ feed: 'task', key: runOf(streamId(event.stream)), ...told }));
    const { data, ...entry } = historyEntry(event);
    const { claimId } = event.data as { readonly claimId?: string };
    const add = event.type === 'TaskClaimed' && claimId !== undefined ? { add: runOf(claimId) } : {};
    const told = { ...entry, data, consistencyToken: `${event.stream}@${event.revision}` };
    return [{ feed: 'task', key: streamId(event.stream), event: 'task', data: told, ...add }];
  },
});

/** The steps of the work under one claim. */
const runOf = (claimId: string): string => `run:${claimId}`;

function ofRun({ type, data, stream, recordedAt }: RecordedEvent): readonly OfRun[] {
  const at = recordedAt.toISOString();
  const pipelineId = streamId(stream);
  if (type === 'SagaStepChanged') return [{ event: 'step', data: { pipelineId, ...(data as object), at } }];
  if (type === 'SagaEnded') return [{ event: 'ended', data: { pipelineId, ...(data as object), at } }];
  return [];
}
