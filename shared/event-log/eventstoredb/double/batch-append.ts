import { randomUUID } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { Expected } from './check-commit.ts';
import type { PendingFaults } from './faults.ts';
import type { MemoryLog, Outcome, ProposedEvent } from './memory-log.ts';
import { appended, expectedOf, nameOf, proposedEvents, timedOut, tooLarge, wrongExpectedVersion } from './messages.ts';

export type AppendCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;

export type AppendSettings = {
  readonly log: MemoryLog;
  readonly faults: PendingFaults;
  /** Cuts every connection. */
  readonly cut: () => void;
  /** How long the server tries to write before it says that it timed out, in milliseconds. */
  readonly writeTimeout: number;
  readonly onAppend: () => void;
};

type Pending = { readonly stream: string; readonly expected: Expected; readonly events: ProposedEvent[] };

const MOST_BYTES = 1024 * 1024;

/** Appends of one client: many under way, each answered under its correlation id when it is done. */
export function serveBatchAppend(settings: AppendSettings, call: AppendCall): void {
  const pending = new Map<string, Pending>();
  call.on('error', () => undefined);
  call.on('end', () => call.end());
  call.on('data', (request: BatchAppendReq) => {
    const id = request.getCorrelationId()?.getString() ?? '';
    const options = request.getOptions();
    if (options !== undefined) {
      const stream = nameOf(options.getStreamIdentifier());
      pending.set(id, { stream, expected: expectedOf(options), events: [] });
    }
    const append = pending.get(id);
    if (append === undefined) return;
    append.events.push(...proposedEvents(request));
    if (!request.getIsFinal()) return;
    pending.delete(id);
    void answer(settings, append).then((response) => {
      if (response === null || call.cancelled) return;
      response.setCorrelationId(new shared.UUID().setString(id));
      response.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(append.stream)));
      call.write(response);
    });
  });
}

/** @returns null when the answer is lost */
async function answer(settings: AppendSettings, append: Pending): Promise<BatchAppendResp | null> {
  const { log, faults, cut, writeTimeout, onAppend } = settings;
  const { stream, expected, events } = append;
  onAppend();
  if (faults.take('drop-before-write')) {
    cut();
    return null;
  }
  if (faults.take('conflict')) await log.append(stream, 'any', [anotherEvent()]);
  const bytes = events.reduce((sum, { data, metadata, type }) => sum + data.length + metadata.length + type.length, 0);
  if (bytes > MOST_BYTES) return tooLarge(MOST_BYTES);
  const loses = faults.take('lose-answer');
  const drops = faults.take('drop-after-write');
  const repeats = faults.take('duplicate-ids');
  const outcome = await log.append(stream, expected, events);
  if (repeats) await log.append(stream, expected, events);
  if (drops) cut();
  return loses || drops ? null : toResponse(outcome, expected, writeTimeout);
}

async function toResponse(outcome: Outcome, expected: Expected, writeTimeout: number): Promise<BatchAppendResp> {
  if (outcome.kind === 'written') return appended(outcome.revision, outcome.position);
  if (outcome.kind === 'conflict') return wrongExpectedVersion(expected, outcome.actual);
  await new Promise((resolve) => setTimeout(resolve, writeTimeout));
  return timedOut();
}

const anotherEvent = (): ProposedEvent => ({
  id: randomUUID(),
  type: 'WrittenByAnother',
  contentType: 'application/json',
  data: Buffer.from('{}'),
  metadata: Buffer.from('{"schemaVersion":1}'),
});
