import type { AllStreamResolvedEvent, EventStoreDBClient, ResolvedEvent } from '@eventstore/db-client';
import { convertGrpcEvent } from '@eventstore/db-client/dist/utils/convertGrpcEvent.js';
import grpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { status, type ClientReadableStream, type StatusObject } from '@grpc/grpc-js';
import { backOff, pause } from '../../../resilience/pause.ts';
import type { Connection } from '../connection/connection.ts';
import { isPassing, ServerAway, toFailure, Unanswered } from '../connection/failures.ts';

export type ReadEvent = ResolvedEvent & Partial<Pick<AllStreamResolvedEvent, 'commitPosition'>>;

/** A page ends with the event that brings it here, in bytes of data and metadata. */
export const PAGE_BYTES = 1024 * 1024;

/** What a bounded read gave. `isFull`: it ended because `PAGE_BYTES` were full; there may be more. */
export type ReadPage = { readonly events: readonly ReadEvent[]; readonly isFull: boolean };

export type ReadSettings = {
  readonly connection: Connection;
  /** How long the server may be silent, in milliseconds. */
  readonly silence: number;
  /** How long a read tries again while the server is away, in milliseconds. */
  readonly patience: number;
};

/**
 * The events of a bounded read, until a page is full; none when the stream does not exist. A server that is away is asked again for
 * a while.
 * @param what names the read in errors
 * @throws ServerAway; the signal's reason; Refused or the server's error for what no retry can mend
 */
export async function readPatiently(
  { connection, silence, patience }: ReadSettings,
  what: string,
  request: ReadReq,
  signal?: AbortSignal,
): Promise<ReadPage> {
  const giveUpAt = performance.now() + patience;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const left = attempt === 0 ? silence : Math.max(1, giveUpAt - performance.now());
    try {
      return await readOnce(connection, what, request, { silence, patience: left, ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error)) throw error;
      const wait = backOff(attempt, 50, 1_000);
      if (performance.now() + wait >= giveUpAt) throw new ServerAway(what, error);
      await pause(wait, signal);
    }
  }
}

type Attempt = {
  /** A connection that is silent for so long is given up. Milliseconds. */
  readonly silence: number;
  /** This attempt is over when the server is silent for so long, if that is less. Milliseconds. */
  readonly patience: number;
  readonly signal?: AbortSignal;
};

/**
 * One attempt, bounded by our own deadline: neither the client nor a frozen server has one for reads. The call is ours, not the
 * client's `readStream`: that one ends like a complete read when its call is cancelled, whoever cancelled it. Here only the
 * server's word that it is done makes a read complete.
 */
export function readOnce(
  connection: Connection,
  what: string,
  request: ReadReq,
  { silence, patience, signal }: Attempt,
): Promise<ReadPage> {
  const milliseconds = Math.min(silence, patience);
  return connection.call(
    (client) =>
      new Promise<ReadPage>((resolve, reject) => {
        const events: ReadEvent[] = [];
        let bytes = 0;
        let call: ClientReadableStream<ReadResp> | null = null;
        let hasEnded = false;
        let isDone = false;
        let isOver = false;
        const end = (settle: () => void): void => {
          if (isOver) return;
          isOver = true;
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          settle();
          if (!isDone) call?.cancel();
        };
        const fail = (error: Error): void => end(() => reject(toFailure(what, error)));
        const abort = (): void => end(() => reject(signal?.reason as Error));
        const complete = (): void => {
          if (hasEnded && isDone) end(() => resolve({ events, isFull: false }));
        };
        const timer = setTimeout(() => {
          if (milliseconds >= silence) connection.renew(client);
          fail(new Unanswered(what, milliseconds));
        }, milliseconds);
        signal?.addEventListener('abort', abort, { once: true });

        openCall(client, request).then((opened) => {
          call = opened;
          opened
            .on('data', (response: ReadResp) => {
              timer.refresh();
              const event = response.getEvent();
              if (event === undefined || isOver) return;
              const read: ReadEvent = convertGrpcEvent(event);
              events.push(read);
              bytes += sizeOf(event);
              if (bytes >= PAGE_BYTES) end(() => resolve({ events, isFull: true }));
            })
            .on('end', () => {
              hasEnded = true;
              complete();
            })
            .on('status', ({ code }: StatusObject) => {
              isDone = code === status.OK;
              complete();
            })
            .on('error', fail);
          if (isOver) opened.cancel();
        }, fail);
      }),
  );
}

const sizeOf = (event: ReadResp.ReadEvent): number => {
  const record = event.getEvent();
  return record === undefined ? 0 : record.getData_asU8().byteLength + record.getCustomMetadata_asU8().byteLength;
};

const openCall = (client: EventStoreDBClient, request: ReadReq): Promise<ClientReadableStream<ReadResp>> =>
  client['GRPCStreamCreator'](grpc.StreamsClient, 'read', (stub) =>
    stub.read(request, ...client['callArguments']({}, { deadline: Infinity })),
  )();
