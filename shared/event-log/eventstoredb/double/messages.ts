import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import type { Expected } from './check-commit.ts';
import type { ProposedEvent, StoredEvent } from './memory-log.ts';

const { ReadResp, BatchAppendResp } = streams;
const { ReadEvent } = ReadResp;
const TICKS_PER_MILLISECOND = 10_000n;

export const nameOf = (identifier: shared.StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();

/** @param inAll an event read from its stream has no position of the read beside its own */
export function eventMessage(event: StoredEvent, inAll: boolean): streams.ReadResp {
  const record = new ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(event.stream)))
    .setStreamRevision(String(event.revision))
    .setCommitPosition(String(event.position))
    .setPreparePosition(String(event.position))
    .setCustomMetadata(event.metadata)
    .setData(event.data);
  record.getMetadataMap().set('type', event.type);
  record.getMetadataMap().set('content-type', event.contentType);
  record.getMetadataMap().set('created', String(BigInt(event.created) * TICKS_PER_MILLISECOND));
  const message = new ReadEvent().setEvent(record);
  if (inAll) message.setCommitPosition(String(event.position));
  else message.setNoPosition(new shared.Empty());
  return new ReadResp().setEvent(message);
}

export const streamNotFound = (stream: string): streams.ReadResp =>
  new ReadResp().setStreamNotFound(
    new ReadResp.StreamNotFound().setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream))),
  );

export const confirmation = (id: string): streams.ReadResp =>
  new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(id));

export const caughtUp = (): streams.ReadResp => new ReadResp().setCaughtUp(new ReadResp.CaughtUp());

/** The prepare position may be 0: a checkpoint is not the place of an event. */
export const checkpoint = (commit: bigint): streams.ReadResp =>
  new ReadResp().setCheckpoint(new ReadResp.Checkpoint().setCommitPosition(String(commit)).setPreparePosition('0'));

export function proposedEvents(request: streams.BatchAppendReq): ProposedEvent[] {
  return request.getProposedMessagesList().map((message) => ({
    id: (message.getId()?.getString() ?? '').toLowerCase(),
    type: message.getMetadataMap().get('type') ?? '',
    contentType: message.getMetadataMap().get('content-type') ?? '',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }));
}

export function expectedOf(options: streams.BatchAppendReq.Options): Expected {
  if (options.hasNoStream()) return -1;
  if (options.hasAny()) return 'any';
  return options.hasStreamExists() ? 'exists' : Number(options.getStreamPosition());
}

export const appended = (revision: number, position: bigint): streams.BatchAppendResp =>
  new BatchAppendResp().setSuccess(
    new BatchAppendResp.Success()
      .setCurrentRevision(String(revision))
      .setPosition(
        new shared.AllStreamPosition().setCommitPosition(String(position)).setPreparePosition(String(position)),
      ),
  );

/** As on the real server, the status has no message. */
export function wrongExpectedVersion(expected: Expected, actual: number): streams.BatchAppendResp {
  const details = new shared.WrongExpectedVersion();
  if (actual < 0) details.setCurrentNoStream(new empty.Empty());
  else details.setCurrentStreamRevision(String(actual));
  if (expected === 'any') details.setExpectedAny(new empty.Empty());
  else if (expected === 'exists') details.setExpectedStreamExists(new empty.Empty());
  else if (expected < 0) details.setExpectedNoStream(new empty.Empty());
  else details.setExpectedStreamPosition(String(expected));
  return failed(details.serializeBinary(), 'WrongExpectedVersion');
}

export const timedOut = (): streams.BatchAppendResp => failed(new shared.Timeout().serializeBinary(), 'Timeout');

export const tooLarge = (limit: number): streams.BatchAppendResp =>
  failed(new shared.MaximumAppendSizeExceeded().setMaxappendsize(limit).serializeBinary(), 'MaximumAppendSizeExceeded');

function failed(details: Uint8Array, name: string): streams.BatchAppendResp {
  const packed = new any.Any();
  packed.pack(details, `event_store.client.${name}`);
  return new BatchAppendResp().setError(new status.Status().setDetails(packed));
}
