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
