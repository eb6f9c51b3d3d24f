/** SQLSTATEs that say "not now": connection, resources, operator intervention, a statement's time, a server that became read-only. */
const PASSING = /^(08...|53...|57P..|57014|25006)$/;
/** SQLSTATEs of a transaction that lost to another one: nothing of it took effect. */
const BEATEN = /^(40001|40P01|55P03)$/;
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

/** Whether a database server that is there undid a transaction because of others (a lock, a deadlock, a conflict): it may be tried again. */
export const isBeaten = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && BEATEN.test(error.code);

/** Errors by which a server that is there says no. By name: what is thrown above this room is unknown here. */
const ANSWERS = new Set([
  'CommandRefused',
  'RevisionConflict',
  'InvalidAppend',
  'AppendTooLarge',
  'CommandFault',
  'FromTheFuture',
]);
/** What we gave up ourselves, such as at a stop: a limit of time has another name. */
const OURS = 'AbortError';
/** No server makes these. */
const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError];
const SQLSTATE = /^(?!EPIPE)[0-9A-Z]{5}$/;
/** How clients say that no answer came. */
const SILENCE =
  /no answer|not answer|time(d )?[- ]?out|unavailable|terminated|disconnect|closed|cannot be reached|ECONN/i;

/** Whether an error may mean that its server is away; false for answers, such as those about the data. */
export function isSign(error: unknown): boolean {
  if (!(error instanceof Error) || ANSWERS.has(error.name) || error.name === OURS) return false;
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
  if (isAccessRefused(error)) return 'access';
  if (isUnavailable(error) || error.name.startsWith('KafkaJS') || SILENCE.test(error.message)) return 'silence';
  return 'code' in error ? String(error.code) : `${error.name}: ${error.message}`;
}

const UNTRUSTED =
  'its certificate comes from no authority that is trusted here: name the right file of its authority, or ask who runs it';
/** What is wrong with who answers, by the codes of Node's TLS; else its own words are clear enough. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than the one it was asked by',
};
const LOGIN = 'it refuses the user or its password';

/** How a gRPC client tells of it, without a code. */
const UNCONNECTED = /Last error: Error: ([^\n]*(?:certificate|altnames)[^\n]*)\. Resolution note/;

/** Why a server that is there and we do not come together, in words; null: that is not what the error says. */
export function accessFault(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error.name === 'KafkaJSSASLAuthenticationError') return LOGIN;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error.name === 'AccessRefused' || code === '28P01' || code === '28000') return error.message;
  const [, told] = UNCONNECTED.exec(error.message) ?? [];
  if (told !== undefined) return `its certificate is not accepted (${told})`;
  return CERTIFICATE[code] ?? accessFault(error.cause);
}

/** Whether a server that is there does not let us in, or does not prove who it is. */
export const isAccessRefused = (error: unknown): boolean => accessFault(error) !== null;

/** Whether an error surely means that a server was away, so that doing the same again may mend it. */
export const isAway = (error: unknown): boolean =>
  error instanceof Error && (isUnavailable(error) || SILENT.has(error.name) || isAway(error.cause));
