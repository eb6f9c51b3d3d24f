import { isIP } from 'node:net';

/** Whether an address or name is this machine's own, so that nobody listens on the way; a path is a socket of it. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (name.startsWith('/') || name === 'localhost' || name === '::1') return true;
  return isIP(name.replace(/^::ffff:/, '')) === 4 && /^(::ffff:)?127\./.test(name);
}
