import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { definitionOf } from '@workledger/shared/events/catalogue.ts';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import type { ArtefactReference, Failure } from '@workledger/shared/contexts/values.ts';

const START = Date.UTC(2026, 0, 1);

/** The time of the n-th event of a history, ISO 8601: one a second. */
export const timeOf = (revision: number): string => new Date(START + revision * 1000).toISOString();

/** Events of one stream as the log would give them back, validated against the catalogue. */
export const history = <Event extends DomainEvent>(
  stream: string,
  events: readonly Event[],
  from = 0,
): RecordedEvent[] =>
  events.map(({ type, data }, index) => {
    const { version, schema } = definitionOf(stream, type);
    const revision = from + index;
    return {
      id: derivedId('test-event', stream, String(revision)),
      type,
      version,
      data: schema.parse(data),
      stream,
      revision,
      position: BigInt(revision + 1),
      recordedAt: new Date(timeOf(revision)),
      metadata: {
        correlationId: derivedId('test-correlation', stream),
        causationId: null,
        commandId: derivedId('test-command', stream, String(revision)),
        commandHash: '0'.repeat(64),
        actor: 'system',
        traceparent: null,
      },
    };
  });

/** A run's ids, new for each history. */
export const newRun = (): { taskId: string; runId: string } => ({ taskId: newId(), runId: newId() });

export const commitOf = (digit: string): string => digit.repeat(40);

export const paper = (digit: string): ArtefactReference => ({
  digest: digit.repeat(64),
  size: 12,
  mediaType: 'text/plain',
});

export const failed = (reason: string): Failure => ({
  step: 'validate',
  reason,
  command: ['node', '--test'],
  exitCode: 1,
  lastLines: ['not ok 1'],
  log: paper('f'),
});

export const diffStat = { files: 1, insertions: 2, deletions: 1 };
