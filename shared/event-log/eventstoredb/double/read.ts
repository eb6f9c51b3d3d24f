import { status, type ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { MemoryLog, StoredEvent } from './memory-log.ts';
import { eventMessage, nameOf, streamNotFound } from './messages.ts';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

const BACKWARD = 1;

/** What the real server says of a position or a count that it cannot take. */
export const handlerFailed = (): Error =>
  Object.assign(new Error(), { code: status.UNKNOWN, details: 'Exception was thrown by handler.' });

/** Writes, and waits while the client does not read. @returns false when nobody reads any more */
export async function writeTo(call: ReadCall, message: ReadResp): Promise<boolean> {
  if (call.cancelled || call.destroyed) return false;
  if (call.write(message)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const name of ['drain', 'cancelled', 'close', 'error']) call.off(name, done);
      resolve();
    };
    for (const name of ['drain', 'cancelled', 'close', 'error']) call.on(name, done);
  });
  return !call.cancelled;
}

/** A read that ends: of a stream, from a revision, that one included; or of the whole log. */
export async function serveRead(log: MemoryLog, call: ReadCall): Promise<void> {
  const options = call.request.getOptions();
  const count = Number(options?.getCount() ?? 0);
  if (options === undefined || count === 0) throw handlerFailed();
  const isBackward = Number(options.getReadDirection()) === BACKWARD;
  const ofStream = options.getStream();
  if (ofStream === undefined) {
    const passes = toPredicate(options.getFilter());
    const events = inOrder(log.all, startInAll(log, options.getAll(), isBackward), isBackward).filter(passes);
    for (const event of events.slice(0, count)) if (!(await writeTo(call, eventMessage(event, true)))) return;
    return;
  }
  const stream = nameOf(ofStream.getStreamIdentifier());
  const present = log.stream(stream);
  if (present.length === 0) {
    await writeTo(call, streamNotFound(stream));
    return;
  }
  const start = ofStream.hasStart() ? 0 : ofStream.hasEnd() ? present.length - 1 : Number(ofStream.getRevision());
  const events = start >= present.length ? [] : inOrder(present, start, isBackward);
  for (const event of events.slice(0, count)) if (!(await writeTo(call, eventMessage(event, false)))) return;
}

/** Forward a position includes its event, backward it does not. @throws when nothing is at the position */
function startInAll(log: MemoryLog, all: ReadReq.Options.AllOptions | undefined, isBackward: boolean): number {
  const position = all?.getPosition();
  if (position === undefined) return isBackward ? log.all.length - 1 : all?.hasEnd() ? log.all.length : 0;
  const index = log.indexOf(BigInt(position.getCommitPosition()));
  if (index < 0 || position.getCommitPosition() !== position.getPreparePosition()) throw handlerFailed();
  return isBackward ? index - 1 : index;
}

const inOrder = (events: readonly StoredEvent[], start: number, isBackward: boolean): StoredEvent[] =>
  isBackward ? events.slice(0, start + 1).reverse() : events.slice(start);

/** A filter as the server has it: a regular expression, else prefixes, of the stream's name or the event's type. */
export function toPredicate(filter: ReadReq.Options.FilterOptions | undefined): (event: StoredEvent) => boolean {
  if (filter === undefined) return () => true;
  const onStream = filter.getStreamIdentifier();
  const expression = onStream ?? filter.getEventType();
  if (expression === undefined) return () => true;
  const matches = toMatch(expression.getRegex(), expression.getPrefixList());
  return onStream === undefined ? ({ type }) => matches(type) : ({ stream }) => matches(stream);
}

function toMatch(regex: string, prefixes: readonly string[]): (name: string) => boolean {
  if (regex === '') return (name) => prefixes.some((prefix) => name.startsWith(prefix));
  const pattern = new RegExp(regex);
  return (name) => pattern.test(name);
}
