import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import grpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams, { type BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { CheckedAppend } from '../../check-append.ts';
import type { Connection } from '../connection/connection.ts';
import { toFailure, Unanswered, Refused } from '../connection/failures.ts';
import { toStoredMetadata } from '../read/recorded-event.ts';
import { AccessRefused } from '../../errors.ts';
import type { ExpectedRevision } from '../../port.ts';

export type AppendStream = {
  /**
   * Sends an append behind those of other callers, without waiting for their answers.
   * @throws Unanswered after so many milliseconds; Refused; else an error that leaves open what happened
   */
  send(append: CheckedAppend, milliseconds: number): Promise<AppendAnswer>;
};

type Waiting = {
  readonly stream: string;
  readonly timer: NodeJS.Timeout;
  resolve(answer: AppendAnswer): void;
  reject(error: unknown): void;
};
type Call = ClientDuplexStream<streams.BatchAppendReq, BatchAppendResp>;
type Lane = {
  readonly client: EventStoreDBClient;
  readonly waiting: Map<string, Waiting>;
  readonly call: Promise<Call>;
};

/**
 * The one BatchAppend call that all appends share. The client's own `appendToStream` keeps who waits in one table a process: an
 * error of any connection forgets all of them, the answer to a forgotten one throws where nobody can catch it, and what is
 * queued behind back-pressure ends in an unhandled rejection. Here each call knows its own.
 */
export function createAppendStream(connection: Connection): AppendStream {
  let current: Lane | null = null;

  const open = (client: EventStoreDBClient): Lane => {
    const waiting = new Map<string, Waiting>();
    const fail = (error: Error): void => {
      if (current === lane) current = null;
      const all = [...waiting.values()];
      waiting.clear();
      for (const { stream, timer, reject } of all) {
        clearTimeout(timer);
        reject(toFailure(`append to ${stream}`, error));
      }
    };
    const listen = (call: Call): Call =>
      call
        .on('data', (response: BatchAppendResp) => take(waiting, response))
        .on('error', fail)
        .on('end', () => fail(new Error('EventStoreDB ended the append stream')))
        .on('close', () => fail(new Error('the append stream was closed')));
    const call = client['GRPCStreamCreator'](grpc.StreamsClient, 'append', (stub) =>
      listen(stub.batchAppend(...client['callArguments']({}, { deadline: Infinity }))),
    )();
    const lane: Lane = { client, waiting, call };
    call.catch(fail);
    return lane;
  };

  return {
    send: (append, milliseconds) =>
      connection.call((client) => {
        const lane = current?.client === client ? current : open(client);
        current = lane;
        const { correlationId, message } = toAppendRequest(append);
        return new Promise((resolve, reject) => {
          const giveUp = (): void => {
            lane.waiting.delete(correlationId);
            reject(new Unanswered(`append to ${append.stream}`, milliseconds));
          };
          const timer = setTimeout(giveUp, milliseconds);
          lane.waiting.set(correlationId, { stream: append.stream, timer, resolve, reject });
          const write = (call: Call): void => {
            if (lane.waiting.has(correlationId)) call.write(message);
          };
          lane.call.then(write, () => undefined);
        });
      }),
  };
}

function take(waiting: Map<string, Waiting>, response: BatchAppendResp): void {
  const correlationId = response.getCorrelationId()?.getString() ?? '';
  const entry = waiting.get(correlationId);
  // Whoever gave up waiting has asked the stream meanwhile.
  if (entry === undefined) return;
  waiting.delete(correlationId);
  clearTimeout(entry.timer);
  try {
    entry.resolve(readAnswer(response, entry.stream));
  } catch (error) {
    entry.reject(error);
  }
}

type AppendRequest = { readonly correlationId: string; readonly message: streams.BatchAppendReq };

const { BatchAppendReq } = streams;

/**
 * One append as one message (512 KiB at most; the server takes 4 MiB). No deadline is set: it would be a time of our clock that
 * the server compares with its own.
 */
function toAppendRequest({ stream, expected, events }: CheckedAppend): AppendRequest {
  const correlationId = randomUUID();
  const options = new BatchAppendReq.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)));
  if (expected === 'none') options.setNoStream(new shared.Empty());
  else options.setStreamPosition(String(expected));

  const message = new BatchAppendReq();
  message.setCorrelationId(new shared.UUID().setString(correlationId));
  message.setOptions(options);
  for (const event of events) {
    const proposed = new BatchAppendReq.ProposedMessage();
    proposed.setId(new shared.UUID().setString(event.id));
    proposed.getMetadataMap().set('type', event.type);
    proposed.getMetadataMap().set('content-type', 'application/json');
    proposed.setData(Buffer.from(event.data));
    proposed.setCustomMetadata(Buffer.from(toStoredMetadata(event.version, event.metadata)));
    message.addProposedMessages(proposed);
  }
  message.setIsFinal(true);
  return { correlationId, message };
}

/** What the server said of one append. */
type AppendAnswer =
  | { readonly kind: 'written'; readonly revision: number; readonly position: bigint | null }
  | { readonly kind: 'conflict'; readonly actual: ExpectedRevision };

const ACCESS_DENIED = 'event_store.client.AccessDenied';
const WRONG_EXPECTED_VERSION = 'event_store.client.WrongExpectedVersion';
/** Errors that say for certain that nothing was written; after any other the stream must be asked. */
const REFUSALS: Readonly<Record<string, string>> = {
  'event_store.client.StreamDeleted':
    'the stream was deleted, which nothing of ours does: restore the server from a backup',
  'event_store.client.MaximumAppendSizeExceeded': 'too many bytes: raise MaxAppendSize of the server to 1 MiB or more',
  'event_store.client.BadRequest': 'the server does not understand the request',
};

/** @throws Refused for what no retry can mend; Error for an answer that leaves open what happened */
function readAnswer(response: BatchAppendResp, stream: string): AppendAnswer {
  const success = response.getSuccess();
  if (success !== undefined) {
    const position = success.getPosition();
    return {
      kind: 'written',
      revision: success.hasCurrentRevision() ? Number(success.getCurrentRevision()) : -1,
      position: position === undefined ? null : BigInt(position.getCommitPosition()),
    };
  }
  const error = response.getError();
  const details = error?.getDetails();
  const name = details?.getTypeName() ?? '';
  if (name === WRONG_EXPECTED_VERSION) {
    const conflict = details?.unpack(shared.WrongExpectedVersion.deserializeBinary, name);
    if (conflict) {
      const current = conflict.hasCurrentStreamRevision() ? Number(conflict.getCurrentStreamRevision()) : NaN;
      // The server may write its own "no stream" as the largest number that it has.
      return { kind: 'conflict', actual: Number.isSafeInteger(current) ? current : 'none' };
    }
  }
  if (name === ACCESS_DENIED)
    throw new AccessRefused(`append to ${stream}: access denied: give the connection string a user who may write`);
  const refusal = REFUSALS[name];
  const said = error?.getMessage() ?? '';
  if (refusal !== undefined) throw new Refused(`append to ${stream}: ${refusal}${said && ` (${said})`}`);
  throw new Error(`append to ${stream}: EventStoreDB answered ${name || 'nothing known'}${said && ` (${said})`}`);
}
