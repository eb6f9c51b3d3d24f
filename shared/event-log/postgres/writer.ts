import { setImmediate } from 'node:timers/promises';
import type pg from 'pg';
import type { CheckedAppend } from '../check-append.ts';
import { OutcomeUnknown } from '../errors.ts';
import type { AppendResult } from '../port.ts';
import { isUnavailable } from '../../resilience/outages/signs.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { appendBatch, appendOne, type Outcome, settleRefused } from './append.ts';
import type { WriteConnection } from './write-connection.ts';

export type Writer = { append(append: CheckedAppend): Promise<AppendResult>; close(): Promise<void> };

export type WriterSettings = {
  /** Called after a commit. */
  readonly onCommit: () => void;
  /** How long an append tries to get over a lost connection, in milliseconds. */
  readonly patience: number;
};

/**
 * Gathers the appends of all callers into batches (group commit), one batch in flight. A lost connection leaves open whether a
 * batch was written; it is sent again, with the same ids and expected revisions, and what stands already is recognised.
 */
export function startWriter(connection: WriteConnection, pool: pg.Pool, settings: WriterSettings): Writer {
  let queue: QueuedAppend[] = [];
  let running: Promise<void> | null = null;
  let closed = false;
  const settling = new Set<Promise<void>>();

  const run = async (): Promise<void> => {
    do {
      // Whoever is about to append in this turn of the event loop comes along.
      await setImmediate();
      const { batch, rest } = takeBatch(queue);
      queue = rest;
      await write(batch);
    } while (queue.length > 0);
    running = null;
  };

  const write = async (batch: readonly QueuedAppend[]): Promise<void> => {
    let left = batch;
    const givenUp = new AbortController();
    await keepTrying(async () => report(left, await send(left)), {
      signal: givenUp.signal,
      shortest: 20,
      longest: 500,
      retryWhile: isUnavailable,
      onFailed: (error) => {
        connection.discard();
        left = rejectOverdue(left, error);
        if (left.length === 0) givenUp.abort();
      },
    }).catch((error: unknown) => writeAlone(left, error));
  };

  const send = (batch: readonly QueuedAppend[]): Promise<Outcome[]> => {
    const [first, second] = batch;
    if (first === undefined || second !== undefined)
      return appendBatch(
        connection,
        batch.map(({ append }) => append),
      );
    return appendOne(connection, first.append).then((outcome) => [outcome]);
  };

  /** One append that the server cannot take must not spoil the others of its batch. */
  const writeAlone = async (batch: readonly QueuedAppend[], error: unknown): Promise<void> => {
    if (batch.length === 1) return batch[0]?.reject(error);
    for (const queued of batch) await write([queued]);
  };

  const rejectOverdue = (batch: readonly QueuedAppend[], error: unknown): QueuedAppend[] => {
    const deadline = performance.now() - settings.patience;
    for (const queued of batch)
      if (queued.since <= deadline) queued.reject(new OutcomeUnknown(queued.append.stream, error));
    return batch.filter(({ since }) => since > deadline);
  };

  const report = (batch: readonly QueuedAppend[], outcomes: readonly Outcome[]): void => {
    for (const [index, queued] of batch.entries()) {
      const outcome = outcomes[index] ?? null;
      if (outcome === null) settle(queued);
      else queued.resolve(outcome);
    }
    if (outcomes.some((outcome) => outcome !== null)) settings.onCommit();
  };

  const settle = (queued: QueuedAppend): void => {
    const done = settleRefused(pool, queued.append)
      .then(queued.resolve, (error: unknown) =>
        queued.reject(isUnavailable(error) ? new OutcomeUnknown(queued.append.stream, error) : error),
      )
      .finally(() => settling.delete(done));
    settling.add(done);
  };

  return {
    append: (append) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(`append to ${append.stream}: the event log is closed`));
        queue.push({ append, since: performance.now(), resolve, reject });
        running ??= run();
      }),
    close: async () => {
      closed = true;
      await running;
      await Promise.all(settling);
      await connection.close();
    },
  };
}

export type QueuedAppend = {
  readonly append: CheckedAppend;
  /** On the monotonic clock, milliseconds. */
  readonly since: number;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
};

/** A batch is at most this large, so that nobody waits long for the others. */
const MAX_APPENDS = 500;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Splits a queue into the next batch and the rest, in order, at most one append a stream: the second of a stream builds on the
 * first and waits for it.
 */
export function takeBatch(queue: readonly QueuedAppend[]): { batch: QueuedAppend[]; rest: QueuedAppend[] } {
  const batch: QueuedAppend[] = [];
  const waiting: QueuedAppend[] = [];
  const streams = new Set<string>();
  let bytes = 0;
  let seen = 0;
  for (const queued of queue) {
    if (batch.length === MAX_APPENDS || bytes >= MAX_BYTES) break;
    seen += 1;
    if (streams.has(queued.append.stream)) {
      waiting.push(queued);
      continue;
    }
    streams.add(queued.append.stream);
    bytes += queued.append.bytes;
    batch.push(queued);
  }
  return { batch, rest: [...waiting, ...queue.slice(seen)] };
}
