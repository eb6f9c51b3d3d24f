import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';

const { ReadReq } = streams;
const { Options } = ReadReq;

export type StreamRange = {
  /** First revision, inclusive; `end`: the last one. */
  readonly from: number | 'end';
  readonly direction: 'forward' | 'backward';
  /** At most so many events. */
  readonly count: number;
};

/** Asks for events of one stream. */
export function toStreamRequest(stream: string, { from, direction, count }: StreamRange): streams.ReadReq {
  const ofStream = new Options.StreamOptions();
  ofStream.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)));
  if (from === 'end') ofStream.setEnd(new shared.Empty());
  else ofStream.setRevision(String(from));
  const options = new Options();
  options.setStream(ofStream);
  return toRequest(options, direction, count);
}

/** Asks for the events of the whole log before a position, newest first. */
export function toBackwardRequest(before: bigint | 'end', count: number): streams.ReadReq {
  const ofAll = new Options.AllOptions();
  if (before === 'end') ofAll.setEnd(new shared.Empty());
  else ofAll.setPosition(new Options.Position().setCommitPosition(String(before)).setPreparePosition(String(before)));
  const options = new Options();
  options.setAll(ofAll);
  return toRequest(options, 'backward', count);
}

function toRequest(
  options: streams.ReadReq.Options,
  direction: StreamRange['direction'],
  count: number,
): streams.ReadReq {
  options.setReadDirection(direction === 'forward' ? Options.ReadDirection.FORWARDS : Options.ReadDirection.BACKWARDS);
  options.setResolveLinks(false);
  options.setCount(String(count));
  options.setUuidOption(new Options.UUIDOption().setString(new shared.Empty()));
  options.setNoFilter(new shared.Empty());
  return new ReadReq().setOptions(options);
}
