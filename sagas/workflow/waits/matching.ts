import { isDeepStrictEqual } from 'node:util';
import { streamId, streamType } from '@workledger/shared/contexts/stream.ts';
import type { WorkflowRunEvent } from '@workledger/shared/contexts/task/workflow-run/events.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { definitionOf } from '@workledger/shared/events/catalogue.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { withoutPersonal } from '@workledger/shared/events/personal.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { ExpressionFailed } from '@workledger/shared/workflows/expression.ts';
import { valueAt } from '@workledger/shared/workflows/template.ts';
import type { RepositoryOf } from '../../webhooks/repository.ts';
import type { Wait } from './table.ts';

/** As waits name it. */
export const nameOf = ({ stream, type }: Pick<RecordedEvent, 'stream' | 'type'>): string =>
  `workledger.${streamType(stream)}.${type}`;

/** Characters of JSON of an event that go along; of a larger one only its name does. */
const LONGEST_DATA = 60_000;

/** What a run is told of an event. */
export function toldOf(recorded: RecordedEvent) {
  const { id, type, stream, revision, data } = upcast(recorded);
  const told = withoutPersonal(definitionOf(stream, type).schema, data);
  return { id, type, stream, revision, data: JSON.stringify(told).length > LONGEST_DATA ? null : told };
}

/**
 * The position after which events count for a step that begins to wait: the one that it took before, when its run is taken up again; else
 * the beginning of the run. What came between its end and its being taken up again counts.
 */
export async function countsAfter(log: Pick<EventLog, 'readStream'>, began: RecordedEvent): Promise<bigint> {
  const { stream, revision } = await takenBefore(log, began);
  for await (const { position } of log.readStream(stream, { from: revision, limit: 1 })) return position;
  throw new Error(`${stream} has no event ${revision}`);
}

async function takenBefore(log: Pick<EventLog, 'readStream'>, { stream, revision, ...began }: RecordedEvent) {
  const { step, round } = began.data as { readonly step: string; readonly round: number };
  if (round > 1)
    for await (const recorded of log.readStream(stream, { from: revision, direction: 'backward' })) {
      const { type, data } = upcast(recorded) as unknown as WorkflowRunEvent;
      if (type === 'WorkflowRunEventSeen' && data.step === step) return data.event;
    }
  return { stream, revision: 0 };
}

/** Whether an event is what a step waits for. */
export async function isWaitedFor(wait: Wait, recorded: RecordedEvent, repositoryOf: RepositoryOf): Promise<boolean> {
  const { stream, position } = recorded;
  if (position <= wait.after || !wait.events.includes(nameOf(recorded))) return false;
  if (wait.of !== null && wait.of !== streamId(stream)) return false;
  if (wait.repositories !== null && !wait.repositories.includes((await repositoryOf(stream)) ?? '')) return false;
  if (wait.where.length === 0) return true;
  const { data } = toldOf(recorded);
  return wait.where.every(({ field, equals }) => stands(data, field, equals));
}

function stands(data: unknown, field: string, equals: unknown): boolean {
  try {
    return isDeepStrictEqual(valueAt(data, field), equals);
  } catch (error) {
    if (error instanceof ExpressionFailed) return false;
    throw error;
  }
}
