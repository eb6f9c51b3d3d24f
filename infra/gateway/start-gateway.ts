import { mkdir } from 'node:fs/promises';
import { ConfigurationError, openHost } from '@workledger/shared/config/faults.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { startServer } from '@workledger/shared/http/server.ts';
import { findCaddy, triesBodiesAgain, fetchCaddy, HOW_TO_GET_IT } from './caddy.ts';
import { startGatewayProcess, rememberGateway, stopLeftoverGateway } from './gateway-process.ts';

export type GatewayOptions = {
  /** Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Absolute files, or a name that ACME gives a certificate for; null: plain HTTP, for this machine only. */
  readonly tls?: Configuration['tls'];
  /** Plain HTTP may be for other machines, too: the way here is closed otherwise. */
  readonly insecureHttp?: boolean;
  /** `host:port` of every instance. */
  readonly commandServices: readonly string[];
  readonly queryServices: readonly string[];
  /** Absolute; its own: the log, the process's note, and what Caddy keeps. */
  readonly folder: string;
  readonly log: (line: string) => void;
};

export type Gateway = {
  readonly url: string;
  readonly pid: number;
  /** Resolves when its process has ended, for whatever reason, with how. */
  readonly died: Promise<string>;
  /** What is in flight has 5 s. Idempotent. */
  stop(): Promise<void>;
};

/**
 * Starts the gateway in front of the services, which need not be there yet. One that a killed process left running in the same
 * folder is stopped first.
 * @returns null: there is no Caddy and none can be fetched; `log` was told how to get it
 * @throws ConfigurationError where other machines could listen; CannotListen when the address is taken; Error in one line when it does not start
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway | null> {
  const { listen, tls = null, insecureHttp = false, folder, log, ...services } = options;
  const faults = openHost({ host: listen.host, tls, insecureHttp });
  if (faults.length > 0) throw new ConfigurationError('the gateway', faults);
  const caddy = (await findCaddy()) ?? (await fetchCaddy(log));
  if (caddy === null) {
    log(`no gateway: ${HOW_TO_GET_IT}`);
    return null;
  }
  if (!triesBodiesAgain(caddy))
    log(
      `Caddy ${caddy.version}: for a second after an instance has died, a command may be answered 502; send it again`,
    );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await stopLeftoverGateway(folder, log);
  // Caddy shares a port with others of its kind instead of failing: so it is tried here whether it is free.
  const tried = await startServer(() => undefined, listen);
  await tried.stop(0);
  const { port } = tried;
  const url = urlOf(tried.url, tls);
  const running = await startGatewayProcess(caddy.program, folder, { host: listen.host, port, url, tls, ...services });
  await rememberGateway(folder, running.pid);
  return { url, pid: running.pid, died: running.ended, stop: running.stop };
}

function urlOf(plain: string, tls: Configuration['tls']): string {
  if (tls === null) return plain;
  const url = new URL(plain.replace(/^http:/, 'https:'));
  if ('domain' in tls) url.hostname = tls.domain;
  return url.origin;
}
