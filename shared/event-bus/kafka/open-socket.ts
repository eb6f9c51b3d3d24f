import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { KafkaAccess } from '../../config/server-access.ts';

export const OPEN: KafkaAccess = { tls: null, sasl: null };

/** A connection to a broker as the configuration says: with TLS, it stands when the broker has proven who it is. */
export function openSocket(
  { host, port }: { readonly host: string; readonly port: number },
  { tls }: KafkaAccess,
  onConnect: () => void,
): Socket {
  const options = { host, port, keepAlive: true, keepAliveInitialDelay: 10_000 };
  if (tls === null) return connect({ ...options, noDelay: true }, onConnect);
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ ...options, ...name, ...tls, rejectUnauthorized: true }, onConnect).setNoDelay(true);
}
