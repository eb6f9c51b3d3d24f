import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { identify, isSameProcess, type ProcessIdentity } from '@workledger/sagas/components/process/processes.ts';
import { startDetached, type DetachedProcess } from '../local/detached-process.ts';
import { GATEWAY, isZombie, stopProcess } from '../local/stop-process.ts';

const caddyfile = fileURLToPath(new URL('Caddyfile', import.meta.url));
const START_SECONDS = 30;

type GatewayProcess = Pick<DetachedProcess, 'pid' | 'ended' | 'stop'>;

type GatewaySettings = {
  readonly host: string;
  readonly port: number;
  /** `http://host:port` of both. */
  readonly url: string;
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
  { host, port, url, commandServices, queryServices }: GatewaySettings,
): Promise<GatewayProcess> {
  const logFile = join(folder, 'gateway.log');
  const env = {
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    XDG_DATA_HOME: folder,
    GATEWAY_HOST: host,
    GATEWAY_PORT: String(port),
    COMMAND_SERVICE_UPSTREAMS: commandServices.join(' '),
    QUERY_SERVICE_UPSTREAMS: queryServices.join(' '),
  };
  const args = ['run', '--config', caddyfile, '--adapter', 'caddyfile'];
  const gateway = startDetached(GATEWAY, { program, args, cwd: folder, env, logFile });

  const outcome = await untilAnswering(url, gateway.isRunning);
  if (outcome === 'answers') return gateway;
  await gateway.stop();
  const reason =
    outcome === 'silent'
      ? `no answer for ${START_SECONDS} s`
      : ((await whyNot(program, env, gateway.output())) ?? (await gateway.ended));
  throw new Error(`the gateway did not start: ${reason} (whole log: ${logFile})`);
}

async function untilAnswering(url: string, isRunning: () => boolean): Promise<'answers' | 'silent' | 'ended'> {
  const deadline = performance.now() + START_SECONDS * 1_000;
  while (performance.now() < deadline) {
    const answered = await answers(url);
    if (!isRunning()) return 'ended';
    if (answered) return 'answers';
    await sleep(20);
  }
  return 'silent';
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health/live`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

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
