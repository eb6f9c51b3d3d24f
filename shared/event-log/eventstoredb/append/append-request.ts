import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { CheckedAppend } from '../../check-append.ts';
import { toStoredMetadata } from '../read/stored-metadata.ts';

export type AppendRequest = { readonly correlationId: string; readonly message: streams.BatchAppendReq };

const { BatchAppendReq } = streams;

/**
 * One append as one message (512 KiB at most; the server takes 4 MiB). No deadline is set: it would be a time of our clock that
 * the server compares with its own.
 */
export function toAppendRequest({ stream, expected, events }: CheckedAppend): AppendRequest {
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
