import type { EventStoreDBClient } from '@eventstore/db-client';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import grpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { CheckedAppend } from '../../check-append.ts';
import type { Connection } from '../connection/connection.ts';
import { toFailure, Unanswered } from '../connection/failures.ts';
import { readAnswer, type AppendAnswer } from './append-answer.ts';
import { toAppendRequest } from './append-request.ts';

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
type Call = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;
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
