import { oneLine } from '@workledger/shared/telemetry/one-line.ts';

/** What scanners say whose registry, or way to it, refuses. */
const AWAY =
  /\b(ENOAUDIT|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b|\b(403 Forbidden|405 Method Not Allowed|429 Too Many Requests|50[234] [A-Z]\w+)|(403|429|50[234]) (Client|Server) Error|Max retries exceeded|NameResolutionError|Temporary failure in name resolution|Failed to establish a new connection|ProxyError|audit endpoint returned an error|ServiceError|Connection refused|Network is unreachable/;
const LENGTH = 300;

/** The line of an output that says that the tool could not ask whom it must ask; null: none does. */
export function refusalIn(output: string): string | null {
  const line = output
    .slice(-50_000)
    .split(/\r?\n/)
    .findLast((one) => AWAY.test(one));
  return line === undefined ? null : `it could not ask: ${oneLine(line.trim()).slice(0, LENGTH)}`;
}
