import { AccessRefused } from '../../errors.ts';
import { status } from '@grpc/grpc-js';

/** Of the connection and of resources. */
const RESOURCES: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

/** Our own deadline passed: the server may be frozen, or the connection half open. */
export class Unanswered extends Error {
  override name = 'Unanswered';
  constructor(what: string, milliseconds: number) {
    super(`${what}: no answer from EventStoreDB in ${Math.round(milliseconds)} ms`);
  }
}

/** The server stayed away for as long as a read waits. `code` is what callers know a lost connection by. */
export class ServerAway extends Error {
  override name = 'ServerAway';
  readonly code = 'ETIMEDOUT';
  constructor(what: string, cause: unknown) {
    super(`${what}: EventStoreDB cannot be reached: ${messageOf(cause)}`, { cause });
  }
}

/** What the server will say again however often it is asked. */
export class Refused extends Error {
  override name = 'Refused';
}

const ACCESS: Readonly<Record<number, string>> = {
  [status.UNAUTHENTICATED]: 'EventStoreDB refuses the user or its password: mend them in the connection string',
  [status.PERMISSION_DENIED]: 'EventStoreDB denies access: give the connection string a user of $admins',
};

/** The error as the log's callers meet it. @param what was tried */
export function toFailure(what: string, error: Error): Error {
  const words = ACCESS[codeOf(error) ?? status.OK];
  return words === undefined ? error : new AccessRefused(`${what}: ${words}`, { cause: error });
}

const codeOf = (error: Error): number | null => ('code' in error && typeof error.code === 'number' ? error.code : null);

/** Types of the client's errors that mean "not now"; all others with a type are an answer. */
const PASSING_TYPES = new Set(['timeout', 'deadline-exceeded', 'unavailable', 'cancelled', 'not-leader']);

/**
 * Whether an error may be gone at the next attempt. An error that says nothing of itself (no type, no code) comes from a
 * connection that could not be made.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof Unanswered) return true;
  if (error instanceof Refused || error instanceof AccessRefused || !(error instanceof Error)) return false;
  const code = codeOf(error);
  const type = 'type' in error && typeof error.type === 'string' ? error.type : null;
  if (type !== null && PASSING_TYPES.has(type)) return true;
  if (code !== null) return RESOURCES.has(code);
  return type === null;
}

const typeOf = (error: unknown): string | null =>
  error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : null;

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? (typeOf(error) ?? error.name) : error.message;
};
