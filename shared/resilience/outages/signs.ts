/** SQLSTATEs that say "not now": connection, resources, operator intervention, a server that became read-only. */
const PASSING = /^(08...|53...|57P..|25006)$/;
/** Codes of the network; those of files are none. */
const NETWORK = /^(ECONN[A-Z]+|EPIPE|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOST[A-Z]+|ENET[A-Z]+|EADDRNOTAVAIL)$/;
/** What pg says without a code. */
const BROKEN =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client (was closed|has encountered a connection error) and is not queryable)/;

/** Whether an error means that a database server is away or is going away, so that trying again makes sense. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code === '' ? BROKEN.test(error.message) : PASSING.test(code) || NETWORK.test(code);
}

/** Errors by which a server that is there says no. By name: what is thrown above this room is unknown here. */
const ANSWERS = new Set([
  'CommandRefused',
  'RevisionConflict',
  'InvalidAppend',
  'AppendTooLarge',
  'CommandFault',
  'FromTheFuture',
]);
/** No server makes these. */
const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError];
const SQLSTATE = /^(?!EPIPE)[0-9A-Z]{5}$/;
/** How clients say that no answer came. */
const SILENCE =
  /no answer|not answer|time(d )?[- ]?out|unavailable|terminated|disconnect|closed|cannot be reached|ECONN/i;

/** Whether an error may mean that its server is away; false for answers, such as those about the data. */
export function isSign(error: unknown): boolean {
  if (!(error instanceof Error) || ANSWERS.has(error.name)) return false;
  if (MISTAKES.some((mistake) => error instanceof mistake)) return false;
  const isPostgres = 'code' in error && typeof error.code === 'string' && SQLSTATE.test(error.code);
  // Class 57 is an operator's: shutting down, cancelling.
  return !isPostgres || isUnavailable(error) || String(error.code).startsWith('57');
}

/** What the adapters throw when a server left them without an answer. */
const SILENT = new Set(['OutcomeUnknown', 'NoAnswer', 'ServerAway', 'Unanswered', 'RunnerAway']);

/** Reasons of one kind are told once an outage; ways of being silent are one kind. */
export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isUnavailable(error) || error.name.startsWith('KafkaJS') || SILENCE.test(error.message)) return 'silence';
  return 'code' in error ? String(error.code) : `${error.name}: ${error.message}`;
}

/** Whether a server that is there does not let us in, as the adapters say it. */
export const isAccessRefused = (error: unknown): boolean => error instanceof Error && error.name === 'AccessRefused';

/** Whether an error surely means that a server was away, so that doing the same again may mend it. */
export const isAway = (error: unknown): boolean =>
  error instanceof Error && (isUnavailable(error) || SILENT.has(error.name) || isAway(error.cause));
