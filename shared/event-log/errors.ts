import type { ExpectedRevision } from './port.ts';

/** Another writer was first. Nothing was written. */
export class RevisionConflict extends Error {
  override name = 'RevisionConflict';
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** What the stream has; `none` = it does not exist. */
  readonly actual: ExpectedRevision;
  constructor(stream: string, expected: ExpectedRevision, actual: ExpectedRevision) {
    super(`stream ${stream} is at ${actual}, not at the expected ${expected}`);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The append breaks a rule that no retry can mend: names, ids, U+0000, no events. Nothing was written. */
export class InvalidAppend extends Error {
  override name = 'InvalidAppend';
}

/** An event or the whole append has too many bytes. Nothing was written. */
export class AppendTooLarge extends InvalidAppend {
  override name = 'AppendTooLarge';
}

/** The connection was lost before the answer came: the events may or may not be there. Append the same ids again. */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown';
  constructor(stream: string, cause: unknown) {
    super(`append to ${stream}: the answer was lost`, { cause });
  }
}

/** The log does not let this program in: nothing was read or written, and another try is vain until an operator mends it. */
export class AccessRefused extends Error {
  override name = 'AccessRefused';
}

/**
 * The log gave less than it is known to hold: an answer from a copy that is behind, or a log that was restored. Nothing may be
 * concluded from what is missing. `code` is what callers know a store by that cannot be used now.
 */
export class LogBehind extends Error {
  override name = 'LogBehind';
  readonly code = 'ETIMEDOUT';
  /** @param what a stream, or the whole log @param known what it reaches at least: revision or position */
  constructor(what: string, known: bigint | number, found: bigint | number | 'none') {
    super(`${what} is known to reach ${known}, and was read only up to ${found}: the event log is behind`);
  }
}
