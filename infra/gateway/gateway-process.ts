import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { GATEWAY, stopProcess } from '../local/stop-process.ts';

const caddyfile = fileURLToPath(new URL('Caddyfile', import.meta.url));
const LONGEST_LOG = 10_000_000;
const START_SECONDS = 30;

export type GatewayProcess = {
  readonly pid: number;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
};

export type GatewaySettings = {
  readonly host: string;
  readonly port: number;
  /** `http://host:port` of both. */
  readonly url: string;
  /** `host:port` of every instance. */
  readonly commandServices: readonly string[];
  readonly queryServices: readonly string[];
};

/**
 * Starts Caddy in a process group of its own (Ctrl-C must reach us first) and waits until it answers.
 * @param folder the only one that it writes to @throws Error in one line when it does not start
 */
export async function startGatewayProcess(
  program: string,
  folder: string,
  { host, port, url, commandServices, queryServices }: GatewaySettings,
): Promise<GatewayProcess> {
  const logFile = join(folder, 'gateway.log');
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a', 0o600);
  const logged = statSync(logFile).size;
  const env = {
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    XDG_DATA_HOME: folder,
    GATEWAY_HOST: host,
    GATEWAY_PORT: String(port),
    COMMAND_SERVICE_UPSTREAMS: commandServices.join(' '),
    QUERY_SERVICE_UPSTREAMS: queryServices.join(' '),
  };
  const child = spawn(program, ['run', '--config', caddyfile, '--adapter', 'caddyfile'], {
    cwd: folder,
    env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  let running = true;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }).finally(() => (running = false));
  child.unref();
  const pid = child.pid ?? 0;
  const stop = (): Promise<void> => stopProcess(GATEWAY, pid, () => running);

  const outcome = await untilAnswering(url, () => running);
  if (outcome === 'answers') return { pid, ended, stop };
  await stop();
  const reason =
    outcome === 'silent'
      ? `no answer for ${START_SECONDS} s`
      : ((await whyNot(program, env, logFile, logged)) ?? (await ended));
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
  file: string,
  from: number,
): Promise<string | undefined> {
  const logged = readFileSync(file).subarray(from).toString('utf8');
  const told = await promisify(execFile)(program, ['adapt', '--config', caddyfile], { env: environment }).then(
    () => '',
    (error: { stderr?: string }) => error.stderr ?? '',
  );
  return `${logged}\n${told}`
    .split('\n')
    .findLast((line) => /^Error|"error"/.test(line))
    ?.slice(0, 1_000);
}
