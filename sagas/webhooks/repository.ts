import { LRUCache } from 'lru-cache';
import { streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';

/** The repository that a stream belongs to; null: to none, or nobody can tell. */
export type RepositoryOf = (stream: string) => Promise<string | null>;

/** Streams whose first event says of which repository they are, or of which task. */
const TELLING = new Set([
  'task',
  'issue',
  'comment',
  'question',
  'generation',
  'evolution',
  'validation',
  'merge-queue',
  'workflow',
  'workflow-run',
]);
const KEPT = 10_000;

/** What has a repository keeps it: the first event is enough. */
export function createRepositoryOf(log: EventLog): RepositoryOf {
  const known = new LRUCache<string, { readonly repository: string | null }>({ max: KEPT });

  async function read(stream: string): Promise<string | null> {
    if (!TELLING.has(streamType(stream))) return null;
    for await (const recorded of log.readStream(stream, { limit: 1 })) {
      const { repository, taskId } = upcast(recorded).data as { repository?: unknown; taskId?: unknown };
      if (typeof repository === 'string') return repository;
      return typeof taskId === 'string' && streamType(stream) !== 'task'
        ? repositoryOf(streamName('task', taskId))
        : null;
    }
    return null;
  }

  async function repositoryOf(stream: string): Promise<string | null> {
    const before = known.get(stream);
    if (before !== undefined) return before.repository;
    const repository = await read(stream);
    known.set(stream, { repository });
    return repository;
  }
  return repositoryOf;
}
