import { lookup } from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxPolicy } from './bubblewrap.ts';

export type Proxy = {
  /** Path of its Unix socket, in a folder that only this user enters. */
  readonly socket: string;
  close(): Promise<void>;
};

/** Loaded only where hosts are named: it takes a tenth of a second. */
const load = async () => {
  const [http, socks, mux, guard, pattern, parent] = await Promise.all([
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/http-proxy.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/socks-proxy.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/mux-proxy.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/resolved-address-guard.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/domain-pattern.js'),
    import('@anthropic-ai/sandbox-runtime/dist/sandbox/parent-proxy.js'),
  ]);
  return { ...http, ...socks, ...mux, ...guard, ...pattern, ...parent };
};

/**
 * The way out of one sandbox: HTTP, CONNECT and SOCKS to the hosts that its policy names, and to nothing else. Names are resolved here,
 * and one that leads to this machine or to a link-local address is refused unless the address itself is named. It ends with this process.
 */
export async function startProxy({ hosts, api }: Pick<SandboxPolicy, 'hosts' | 'api'>): Promise<Proxy> {
  const library = await load();
  const own = hosts.includes('workledger') && api !== undefined ? splitAddress(api) : null;
  const allowed = hosts.filter((host) => host !== 'workledger');
  const filter = (port: number, host: string): boolean => {
    const name = host.toLowerCase();
    if (own !== null && name === 'workledger') return port === own.port;
    return allowed.some((pattern) => library.matchesDomainPatternWithPort(name, port, pattern));
  };
  const guard = library.createResolvedAddressGuard({ allowedDomains: allowed });
  const lookupFor = (port: number): LookupFunction => {
    const guarded = guard.lookupFor(port);
    return (name, options, answer) => {
      if (own !== null && name === 'workledger') lookup(own.host, options, answer as never);
      else guarded(name, options, answer);
    };
  };
  const parentProxy = library.resolveParentProxy();
  const options = { filter, lookupFor, ...(parentProxy === undefined ? {} : { parentProxy }) };
  const socks = library.createSocksProxyServer(options);
  const both = library.createMuxProxyServer({
    httpServer: library.createHttpProxyServer(options),
    handleSocksConnection: (socket) => socks.handleConnection(socket),
  });
  const folder = await mkdtemp(join(tmpdir(), 'workledger-proxy-'));
  const socket = join(folder, 'proxy.sock');
  await both.listenHttpBackend();
  both.server.listen(socket);
  await once(both.server, 'listening');
  both.unref();
  return {
    socket,
    close: async () => {
      await Promise.all([both.close(), socks.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
