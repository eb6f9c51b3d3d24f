import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { identify, isSameProcess, type ProcessIdentity } from '@workledger/sagas/components/process/processes.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { startDetached, type DetachedProcess } from '../local/detached-process.ts';
import { GATEWAY, isZombie, stopProcess } from '../local/stop-process.ts';

const caddyfile = fileURLToPath(new URL('Caddyfile', import.meta.url));
const START_SECONDS = 30;

type GatewayProcess = Pick<DetachedProcess, 'pid' | 'ended' | 'stop'>;

type GatewaySettings = {
  readonly host: string;
  readonly port: number;
  /** How it is asked for by others. */
  readonly url: string;
  readonly tls: Configuration['tls'];
  /** `host:port` of every instance. */
  readonly commandServices: readonly string[];
  readonly queryServices: readonly string[];
};

/**
 * Starts Caddy and waits until it answers.
 * @param folder the only one that it writes to @throws Error in one line when it does not start
 */
export async function startGatewayProcess(
  program: string,
  folder: string,
  { host, port, url, tls, commandServices, queryServices }: GatewaySettings,
): Promise<GatewayProcess> {
  const logFile = join(folder, 'gateway.log');
  const env = {
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    XDG_DATA_HOME: folder,
    GATEWAY_HOST: host,
    GATEWAY_PORT: String(port),
    ...tlsVariables(tls),
    COMMAND_SERVICE_UPSTREAMS: commandServices.join(' '),
    QUERY_SERVICE_UPSTREAMS: queryServices.join(' '),
  };
  const args = ['run', '--config', caddyfile, '--adapter', 'caddyfile'];
  const gateway = startDetached(GATEWAY, { program, args, cwd: folder, env, logFile });

  const outcome = await untilAnswering({ host, port, url, tls }, gateway.isRunning);
  if (outcome === 'answers') return gateway;
  await gateway.stop();
  const reason =
    outcome === 'silent'
      ? `no answer for ${START_SECONDS} s`
      : ((await whyNot(program, env, gateway.output())) ?? (await gateway.ended));
  throw new Error(`the gateway did not start: ${reason} (whole log: ${logFile})`);
}

function tlsVariables(tls: Configuration['tls']): Record<string, string> {
  if (tls === null) return { GATEWAY_TLS: 'off' };
  if ('key' in tls)
    return {
      GATEWAY_TLS: 'files',
      GATEWAY_SITE: 'https://',
      GATEWAY_CERTIFICATE: tls.certificate,
      GATEWAY_KEY: tls.key,
    };
  return {
    GATEWAY_TLS: 'acme',
    GATEWAY_SITE: `https://${tls.domain}`,
    GATEWAY_AUTO_HTTPS: 'disable_redirects',
    GATEWAY_EMAIL: tls.email,
    ...(tls.directory !== undefined && { GATEWAY_ACME: tls.directory }),
  };
}

type Place = Pick<GatewaySettings, 'host' | 'port' | 'url' | 'tls'>;

async function untilAnswering(place: Place, isRunning: () => boolean): Promise<'answers' | 'silent' | 'ended'> {
  const deadline = performance.now() + START_SECONDS * 1_000;
  while (performance.now() < deadline) {
    const answered = await (place.tls === null ? answers(place.url) : isOpen(place));
    if (!isRunning()) return 'ended';
    if (answered) return 'answers';
    await sleep(20);
  }
  return 'silent';
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health/live`, { signal: timeoutSignal(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** Whether it listens: with TLS its certificate may be for any name, and with ACME it may come later. */
const isOpen = ({ host, port }: Place): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: WILDCARDS[host] ?? host, port, timeout: 1_000 });
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false)).once('timeout', () => end(false)); // prettier-ignore
  });

const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** What it logged as an error; for a configuration that it cannot read, newer ones tell `adapt` only. */
async function whyNot(
  program: string,
  environment: Record<string, string>,
  logged: string,
): Promise<string | undefined> {
  const told = await promisify(execFile)(program, ['adapt', '--config', caddyfile], { env: environment }).then(
    () => '',
    (error: { stderr?: string }) => error.stderr ?? '',
  );
  return `${logged}\n${told}`
    .split('\n')
    .findLast((line) => /^Error|"error"/.test(line))
    ?.slice(0, 1_000);
}

const noteOf = (folder: string): string => join(folder, 'gateway.json');

/** Notes which process is the gateway of this folder, for the start after a kill -9. */
export const rememberGateway = (folder: string, pid: number): Promise<void> =>
  writeFile(noteOf(folder), JSON.stringify(identify(pid)));

/** Stops the gateway that a killed process left running. @throws Error in one line when it does not stop */
export async function stopLeftoverGateway(folder: string, log: (line: string) => void): Promise<void> {
  const last = await readNote(folder);
  const isRunning = (): boolean => last !== null && isSameProcess(last) && !isZombie(last.pid);
  if (last === null || !isRunning()) return;
  log(`the gateway (process ${last.pid}) is still running from last time: stopping it`);
  await stopProcess(GATEWAY, last.pid, isRunning);
}

/** A note that is only half there was being written as its writer died. */
async function readNote(folder: string): Promise<ProcessIdentity | null> {
  try {
    return JSON.parse(await readFile(noteOf(folder), 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}
