import type { Pool } from 'pg';
import { streamId, streamType } from '@workledger/shared/contexts/stream.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { anyId } from '../reading/query-route.ts';
import { readRun } from '../api/workflow-runs.ts';
import type { Feed } from './feed.ts';

/** `workflow-run:<id>`: how a run goes as a whole, and step by step. */
export const workflowFeed = (pool: Pool): Feed => ({
  name: 'workflow-run',
  streams: ['workflow-run', 'saga-workflow'],
  argument: { noun: 'id', schema: anyId },
  open: async (id, { repositories }) => [(await readRun(pool, repositories, id)).id],
  tell: (recorded) => {
    const { type, data, stream, recordedAt } = upcast(recorded);
    const runId = streamId(stream);
    const of = { feed: 'workflow-run', key: runId };
    const at = recordedAt.toISOString();
    if (streamType(stream) === 'saga-workflow')
      return type === 'SagaStepChanged' ? [{ ...of, event: 'step', data: { runId, ...(data as object), at } }] : [];
    // The definition is read once, not with every run.
    const { definition: _, ...told } = data as { readonly definition?: unknown };
    return [{ ...of, event: type, data: { runId, ...told, at } }];
  },
});
