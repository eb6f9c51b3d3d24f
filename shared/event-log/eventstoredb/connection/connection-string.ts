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
    const key = pair.split('=', 1)[0] ?? '';
    if (!KNOWN.has(key.toLowerCase().replace(/[_-]/g, '')))
      throw new Error(`EventStoreDB connection string: unknown option "${key}": use ${OPTIONS.join(', ')}`);
  }
}
