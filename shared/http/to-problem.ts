import { CommandRefused } from '../commands/refusal.ts';
import { AccessRefused, AppendTooLarge, InvalidAppend, OutcomeUnknown, RevisionConflict } from '../event-log/errors.ts';
import { isUnavailable } from '../resilience/outages/is-unavailable.ts';
import { Problem, type FieldError } from './problem.ts';

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

const connectionProblem = (error: unknown): Problem | null =>
  isUnavailable(error) ? unavailable('a store cannot be reached; try again', error) : null;

const unavailable = (detail: string, cause: unknown): Problem =>
  new Problem('unavailable', detail, { cause, ...RETRY });

const internal = (cause: unknown): Problem =>
  new Problem('internal-error', 'an unforeseen error; the log has it under the correlation id', { cause });
