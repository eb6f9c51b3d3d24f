/** Settings of the server, by PostgreSQL's names. */
export type ServerSettings = Readonly<Record<string, string | number>>;

/** What Workledger needs: durable commits, a local server that only a password opens, room for bursts of appends. */
const defaults: ServerSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: 100,
  shared_buffers: '128MB',
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  wal_compression: 'pglz',
  idle_in_transaction_session_timeout: '60s',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  cluster_name: 'workledger',
};

/** Command line of the server: its folder, its port, and the settings. */
export const serverArguments = (cluster: string, port: number, settings: ServerSettings): string[] => [
  '-D',
  cluster,
  '-p',
  String(port),
  ...Object.entries({ ...defaults, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];
