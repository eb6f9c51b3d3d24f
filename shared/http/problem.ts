import { type RefusalCode, CommandRefused } from '../commands/refusal.ts';
import { AccessRefused, AppendTooLarge, InvalidAppend, OutcomeUnknown, RevisionConflict } from '../event-log/errors.ts';
import { isBeaten, isUnavailable } from '../resilience/outages/signs.ts';

type Kind = { readonly status: number; readonly title: string };

/** Why commands are refused, as HTTP tells it. */
const refusals: Readonly<Record<RefusalCode, Kind>> = {
  'not-found': { status: 404, title: 'Not found' },
  'already-exists': { status: 409, title: 'It exists already' },
  'already-answered': { status: 409, title: 'The question has its answer' },
  'illegal-transition': { status: 409, title: 'Not possible in the current state' },
  'claim-mismatch': { status: 409, title: 'The claim is not the current one' },
  'no-capacity': { status: 409, title: 'The agent has no free capacity' },
  'missing-capability': { status: 409, title: 'The agent lacks a capability' },
  blocked: { status: 409, title: 'The task waits for another one' },
  'dependency-cycle': { status: 409, title: 'The dependency would close a cycle' },
  'graph-too-large': { status: 409, title: 'Too many tasks hang together to rule out a cycle' },
  'unknown-repository': { status: 422, title: 'The repository is not registered' },
  'unknown-reference': { status: 422, title: 'The request names something that does not exist' },
  forbidden: { status: 403, title: 'Not allowed' },
  'revision-mismatch': { status: 412, title: 'It has changed meanwhile' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key belongs to another request' },
  'invalid-command': { status: 400, title: 'The command is not valid' },
  'out-of-range': { status: 422, title: 'A value is not within its bounds' },
  'invalid-workflow': { status: 422, title: 'The workflow cannot run' },
  'invalid-content': { status: 422, title: 'The content does not fit the schema of its type' },
  'too-large': { status: 413, title: 'Too large' },
  'base-too-old': { status: 409, title: 'The base version is too far back' },
};

/** Every kind of problem there is. The code is stable, part of the API: the last part of the problem's `type`. */
export const problemKinds = {
  ...refusals,
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-json': { status: 400, title: 'The body is not JSON' },
  'unknown-cursor': { status: 422, title: 'The cursor is none of this list' },
  unauthenticated: { status: 401, title: 'A valid API key is needed' },
  'key-expired': { status: 401, title: 'The API key has expired' },
  'user-suspended': { status: 403, title: 'The user is suspended' },
  'too-many-failed-attempts': { status: 429, title: 'Too many failed attempts' },
  'too-many-connections': { status: 429, title: 'Too many live connections' },
  'bad-signature': { status: 401, title: 'The signature does not match' },
  'refused-by-plugin': { status: 403, title: 'A plugin refuses the request' },
  'unknown-route': { status: 404, title: 'There is no such route' },
  'method-not-allowed': { status: 405, title: 'The route does not know this method' },
  'not-acceptable': { status: 406, title: 'No answer in a wanted media type' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'headers-too-large': { status: 431, title: 'Path and headers are too large' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'Not available at the moment' },
  'not-configured': { status: 503, title: 'Not configured' },
  'stream-parked': { status: 503, title: 'The read model has stopped for this stream' },
  'not-yet-visible': { status: 503, title: 'The read model is not there yet' },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemCode = keyof typeof problemKinds;

/** One faulty field of a request: where (`body.title`, `query.limit`) and what is wrong with it. */
export type FieldError = { readonly path: string; readonly message: string };

/** An RFC 9457 problem document, as clients get it. */
export type ProblemDocument = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly correlationId?: string;
  readonly errors?: readonly FieldError[];
  /** Machine-readable facts, such as the cycle or the current revision. */
  readonly facts?: Readonly<Record<string, unknown>>;
};

export type ProblemOptions = {
  readonly errors?: readonly FieldError[];
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

/** A request cannot be answered as wished. Thrown anywhere below a route; the error middleware turns it into the answer. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = problemKinds[code].status;
    this.errors = options.errors;
    this.facts = options.facts;
    this.headers = options.headers ?? {};
  }
}

/** The document of a problem; `place` adds which request it was. */
export const problemDocument = (
  problem: Problem,
  place: { readonly instance?: string; readonly correlationId?: string } = {},
): ProblemDocument => ({
  type: `https://workledger.dev/problems/${problem.code}`,
  title: problemKinds[problem.code].title,
  status: problem.status,
  detail: problem.message,
  ...place,
  ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  ...(problem.facts === undefined || Object.keys(problem.facts).length === 0 ? {} : { facts: problem.facts }),
});

const RETRY = { headers: { 'Retry-After': '1' } };

/** What a client is told about an error. What is not foreseen becomes `internal-error` without a word of its text. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CommandRefused) return refusal(error);
  if (error instanceof AppendTooLarge) return new Problem('too-large', error.message, { cause: error });
  if (error instanceof InvalidAppend) return new Problem('invalid-command', error.message, { cause: error });
  if (error instanceof OutcomeUnknown)
    return unavailable('whether it took effect is not known; send it again with the same Idempotency-Key', error);
  if (error instanceof RevisionConflict)
    return unavailable('too many changes of the same thing at once; try again', error);
  if (error instanceof AccessRefused)
    return unavailable('the event log does not let this service in; its operator finds the reason in the log', error);
  return parserProblem(error) ?? connectionProblem(error) ?? internal(error);
}

function refusal(error: CommandRefused): Problem {
  const { errors, ...facts } = error.facts;
  return new Problem(error.code, error.message, {
    facts,
    cause: error,
    ...(Array.isArray(errors) ? { errors: errors as FieldError[] } : {}),
  });
}

/** The errors of body-parser and of Express itself (https://github.com/expressjs/body-parser#errors). */
function parserProblem(error: unknown): Problem | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  const limit = 'limit' in error && typeof error.limit === 'number' ? ` (limit: ${error.limit} bytes)` : '';
  if (error.status === 413) return new Problem('too-large', `the body is too large${limit}`);
  if (error.status === 415) return new Problem('unsupported-media-type', 'send UTF-8 without this content encoding');
  if ('type' in error && error.type === 'entity.parse.failed')
    return new Problem('invalid-json', 'the body is not valid JSON');
  if (error.status >= 400 && error.status < 500) return new Problem('invalid-request', 'the request cannot be read');
  return null;
}

function connectionProblem(error: unknown): Problem | null {
  if (isUnavailable(error)) return unavailable('a store cannot be reached; try again', error);
  return isBeaten(error) ? unavailable('another transaction came first; try again', error) : null;
}

const unavailable = (detail: string, cause: unknown): Problem =>
  new Problem('unavailable', detail, { cause, ...RETRY });

const internal = (cause: unknown): Problem =>
  new Problem('internal-error', 'an unforeseen error; the log has it under the correlation id', { cause });
