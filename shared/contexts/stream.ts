import { v5, v7, validate, version } from 'uuid';

const UUID_LENGTH = 36;
const NAMESPACE = '5f1c53b4-6f5a-5d0e-9a63-0d3b6f8f2a11';
const STREAM_TYPE = /^[a-z][a-z0-9-]{0,62}$/;

/** `<type>-<uuid>`. @throws RangeError when the id is no UUID or the type no lower-case name. */
export function streamName(type: string, id: string): string {
  if (!STREAM_TYPE.test(type)) throw new RangeError(`stream type "${type}": use lower-case letters, digits and dashes`);
  if (!validate(id)) throw new RangeError(`stream id "${id}": use a UUID`);
  return `${type}-${id}`;
}

/** Splits `<type>-<uuid>`. @throws RangeError when the name has no such form. */
export function parseStream(stream: string): { type: string; id: string } {
  const id = stream.slice(-UUID_LENGTH);
  const type = stream.slice(0, -UUID_LENGTH - 1);
  if (stream.at(-UUID_LENGTH - 1) !== '-' || !validate(id) || !STREAM_TYPE.test(type))
    throw new RangeError(`stream "${stream}": use <type>-<uuid>`);
  return { type, id };
}

/** The type of a stream whose name is known to be well formed. */
export const streamType = (stream: string): string => stream.slice(0, -UUID_LENGTH - 1);

/** The id of a stream whose name is known to be well formed. */
export const streamId = (stream: string): string => stream.slice(-UUID_LENGTH);

/** A new time-ordered id (UUIDv7). */
export const newId = (): string => v7();

/** The same id for the same parts, always (UUIDv5). Parts are joined unambiguously. */
export const derivedId = (...parts: readonly string[]): string => v5(JSON.stringify(parts), NAMESPACE);

/** Whether an id is of the kind that `derivedId` makes. */
export const isDerived = (id: string): boolean => validate(id) && version(id) === 5;

/** The id of an aggregate that belongs to one run, which is a claim: `validation` and `generation` by their round, `evolution`. */
export const idInRun = (claimId: string, ...parts: readonly string[]): string => derivedId(claimId, ...parts);
