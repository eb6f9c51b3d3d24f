import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';

export type ServicePlan = {
  /** Such as `projections-2`. */
  readonly name: string;
  /** Its composition root, below the repository's root. */
  readonly entry: string;
  /** Absolute: what runs it. */
  readonly program: string;
  readonly url: string;
  /** Absolute: where it works. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
};

type ServiceProcess = {
  readonly plan: ServicePlan;
  /** SIGTERM, and what it drains; SIGKILL when it does not end by itself. */
  stop(): Promise<void>;
};

/** Agents at work have their time, a minute unless it is configured otherwise. */
const STOP_MILLISECONDS = 90_000;
/** Who ran so long starts again at once. */
const WELL_MILLISECONDS = 30_000;

/**
 * Runs a service as a process of its own, again whenever it ends by itself. Its log lines go to a file, warnings to `say` as well.
 * It stops by itself when this process is gone.
 */
export function superviseService(plan: ServicePlan, logFolder: string, say: (line: string) => void): ServiceProcess {
  const stopping = new AbortController();
  const file = createWriteStream(join(logFolder, `${plan.name}.log`), { flags: 'a' });
  let child: ChildProcess | undefined;

  /** @throws when it ends by itself, with how */
  async function run(worked: () => void): Promise<void> {
    const startedAt = performance.now();
    child = start(plan, file, say);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (stopping.signal.aborted) return;
    if (performance.now() - startedAt > WELL_MILLISECONDS) worked();
    throw new Error(`ended (${signal ?? `exit code ${code}`})`);
  }
  const running = keepTrying(run, {
    signal: stopping.signal,
    shortest: 200,
    longest: 10_000,
    onFailed: (error) => say(`${plan.name}: ${oneLine(error)}, is started again`),
  });

  return {
    plan,
    stop: async () => {
      stopping.abort();
      child?.kill('SIGTERM');
      const impatient = setTimeout(() => child?.kill('SIGKILL'), STOP_MILLISECONDS);
      await running.finally(() => clearTimeout(impatient));
      file.end();
    },
  };
}

function start(
  { name, program, folder, environment }: ServicePlan,
  file: WriteStream,
  say: (line: string) => void,
): ChildProcess {
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    cwd: folder,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const output of [child.stdout, child.stderr])
    if (output !== null)
      createInterface(output).on('line', (line) => {
        file.write(`${line}\n`);
        const readable = readableLine(name, line);
        if (readable !== null) say(readable);
      });
  return child;
}

type Health = { readonly dependencies?: Readonly<Record<string, 'up' | 'down'>> };

const LOOK_MILLISECONDS = 200;
const TELL_MILLISECONDS = 5_000;

/** Waits until every service says that it is ready; tells now and then what is still waited for. */
export async function untilReady(
  plans: readonly ServicePlan[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let told = performance.now();
  while (!signal.aborted) {
    const waiting = (await Promise.all(plans.map(whatItWaitsFor))).filter((text) => text !== null);
    if (waiting.length === 0) return;
    if (performance.now() - told > TELL_MILLISECONDS) {
      told = performance.now();
      say(`waiting for ${waiting.join('; ')}`);
    }
    await pause(LOOK_MILLISECONDS, signal);
  }
}

/** null: it is ready. */
async function whatItWaitsFor({ name, url }: ServicePlan): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: timeoutSignal(3_000) });
    if (answer.ok) return null;
    const { dependencies = {} } = (await answer.json()) as Health;
    const down = Object.entries(dependencies).flatMap(([dependency, state]) =>
      state === 'down' && dependency !== 'start' ? [dependency] : [],
    );
    return down.length === 0 ? name : `${name} (${down.join(', ')})`;
  } catch {
    return name;
  }
}

const WORTH_TELLING = new Set(['warn', 'error', 'fatal']);

type LogLine = {
  readonly level?: string;
  readonly msg?: string;
  readonly reason?: string;
  readonly err?: { readonly message?: string };
  readonly error?: { readonly message?: string };
};

/** A log line of a service as a person reads it; null for those that only the log file needs. */
export function readableLine(service: string, line: string): string | null {
  const parsed = parse(line);
  if (parsed === null) return line.trim() === '' ? null : `${service}: ${line}`;
  if (!WORTH_TELLING.has(parsed.level ?? '')) return null;
  const reason = parsed.reason ?? parsed.err?.message ?? parsed.error?.message;
  return `${service}: ${parsed.msg ?? ''}${reason === undefined ? '' : ` (${reason.split('\n')[0]})`}`;
}

function parse(line: string): LogLine | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
