import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { StoredEvent } from './memory-log.ts';

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
