import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
const PROTOCOL = /^esdb(\+discover)?:\/\//;
const OPTIONS = [
  'connectionName',
  'defaultDeadline',
  'discoveryInterval',
  'gossipTimeout',
  'keepAliveInterval',
  'keepAliveTimeout',
  'maxDiscoverAttempts',
  'nodePreference',
  'tls',
  'tlsCAFile',
  'userCertFile',
  'userKeyFile',
];
const FILES = new Set(['tlscafile', 'usercertfile', 'userkeyfile']);
const KNOWN = new Set(OPTIONS.map((option) => option.toLowerCase()));

/**
 * Refuses what the client would only warn of on the console, with the whole string, password included.
 * @throws Error that names the fault, never the string
 */
export function checkConnectionString(connectionString: string): void {
  if (!PROTOCOL.test(connectionString.trim()))
    throw new Error('EventStoreDB connection string: use esdb://[user:password@]host:port[?tls=false]');
  const [, query = ''] = connectionString.split('?', 2);
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const [key = '', value = ''] = pair.split('=', 2);
    const option = key.toLowerCase().replace(/[_-]/g, '');
    if (FILES.has(option) && !existsSync(resolve(decodeURIComponent(value))))
      throw new Error(`EventStoreDB connection string: ${key}: there is no file ${resolve(decodeURIComponent(value))}`);
    if (!KNOWN.has(option))
      throw new Error(`EventStoreDB connection string: unknown option "${key}": use ${OPTIONS.join(', ')}`);
  }
}

const KEEP_ALIVE = /([?&]keep[_-]?alive[_-]?timeout=)(\d+)/i;
const ANY_KEEP_ALIVE = /[?&]keep[_-]?alive[_-]?timeout=/i;
const DEFAULT_KEEP_ALIVE = 10_000;

/**
 * Channels of one process with the same settings share one connection to a server; a client that is to replace one whose
 * connection fell silent would get just that. A keep-alive time-out of some milliseconds more makes its settings its own.
 * @param number differs from client to client
 */
export function withOwnConnection(connectionString: string, number: number): string {
  const text = connectionString.trim();
  if (KEEP_ALIVE.test(text))
    return text.replace(KEEP_ALIVE, (_, key: string, value: string) => `${key}${Number(value) + number}`);
  if (ANY_KEEP_ALIVE.test(text)) return text;
  return `${text}${text.includes('?') ? '&' : '?'}keepAliveTimeout=${DEFAULT_KEEP_ALIVE + number}`;
}
