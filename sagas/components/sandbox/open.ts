import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { delimiter, join, resolve } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { childEnvironment, runProcess } from '../process/run-process.ts';
import type { SandboxPolicy } from './bubblewrap.ts';
import type { Sandbox } from './policy.ts';

/** Debian's names of the programs that a sandbox needs. */
const PACKAGES = { bwrap: 'bubblewrap', socat: 'socat' } as const;

export type OpenedSandbox = {
  readonly sandbox: Sandbox | null;
  /** One line for whoever starts Workledger: whether there is a sandbox, and, where it should and cannot be, what to do. */
  readonly line: string;
};

/**
 * Decides at start whether programs run in a sandbox, by trying it.
 * @param folder the configuration's; relative names of files with secrets start there
 * @param secretFiles absolute; hidden as those of the configuration are
 * @param tried what was tried just now; default: it is tried
 * @throws ConfigurationError with one line when the configuration says "required" and it cannot run
 */
export async function openSandbox(
  configuration: Configuration,
  { folder, dataFolder, secretFiles = [] }: { folder: string; dataFolder: string; secretFiles?: readonly string[] },
  tried?: readonly SandboxTrial[],
): Promise<OpenedSandbox> {
  if (configuration.sandbox === 'off')
    return { sandbox: null, line: 'off: agents and commands run with your own rights' };
  const problem = (tried ?? (await trySandbox(dataFolder))).find(({ ok }) => !ok);
  if (problem === undefined) {
    const { host, port } = configuration;
    const name = /^(0\.0\.0\.0|::)$/.test(host) ? '127.0.0.1' : host;
    const api = port === 0 ? null : `${name.includes(':') ? `[${name}]` : name}:${port}`;
    const hidden = new Set(secretFiles);
    const sandbox: Sandbox = {
      api,
      // What was named once stays hidden, whatever the configuration names by now.
      get hidden() {
        for (const file of filesIn(configuration, folder)) hidden.add(file);
        return [...hidden];
      },
    };
    return { sandbox, line: 'on' };
  }
  if (configuration.sandbox === 'required') throw new ConfigurationError('sandbox', [`"required" → ${problem.detail}`]);
  return { sandbox: null, line: `NONE, agents and commands run with your own rights: ${problem.detail}` };
}

/** Every file that the configuration names as a place of a secret. */
function filesIn(value: unknown, folder: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('file' in value && typeof value.file === 'string') return [resolve(folder, value.file)];
  return Object.values(value).flatMap((inner) => filesIn(inner, folder));
}

/** One thing about the sandbox that was tried. */
export type SandboxTrial = { readonly subject: string; readonly ok: boolean; readonly detail: string };

/**
 * Tries whether a sandbox can run on this machine and holds what it promises. The first that is not ok says what to mend.
 * @param path PATH as programs get it
 */
export async function trySandbox(dataFolder: string, path = childEnvironment()['PATH'] ?? ''): Promise<SandboxTrial[]> {
  if (process.platform !== 'linux')
    return [{ subject: 'system', ok: false, detail: `runs on Linux only, this is ${process.platform}` }];
  const programs = Object.entries(PACKAGES).map(([name, debian]) => ({ name, debian, at: findOn(path, name) }));
  const missing = programs.filter(({ at }) => at === null);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(' and ');
    const remedy = `apt-get install ${Object.values(PACKAGES).join(' ')}`;
    return [{ subject: 'programs', ok: false, detail: `${names} not found on PATH: ${remedy}` }];
  }
  const found = programs.map(({ name, at }) => ({ subject: name, ok: true, detail: at ?? '' }));
  return [...found, ...(await tryRun(resolve(dataFolder), path))];
}

const findOn = (path: string, name: string): string | null =>
  path
    .split(delimiter)
    .map((entry) => join(entry, name))
    .find(existsSync) ?? null;

/** Says a word for each thing that it can do. $1: a folder outside, $2: a port of the host. */
const TRIAL = `echo x >inside && echo inside
{ echo x >"$1/outside"; } 2>/dev/null && echo outside
{ echo x >/usr/workledger-trial; } 2>/dev/null && echo system
[ -e "$1/secret" ] && echo secret
socat -u OPEN:/dev/null "TCP:127.0.0.1:$2" 2>/dev/null && echo network
exit 0`;

async function tryRun(dataFolder: string, path: string): Promise<SandboxTrial[]> {
  const temporary = join(dataFolder, 'temporary');
  await mkdir(temporary, { recursive: true });
  const folder = await mkdtemp(join(temporary, 'trial-'));
  const host = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  try {
    await once(host, 'listening');
    const own = join(folder, 'own');
    await mkdir(own);
    await writeFile(join(folder, 'secret'), 'x');
    const limits = { memoryBytes: null, processes: null, diskBytes: null, cpuSeconds: null };
    const home = join(folder, 'home');
    const policy = { writable: [own], readable: [], home, hosts: [], limits, hidden: [dataFolder] };
    const port = String((host.address() as AddressInfo).port);
    const { result, problem } = await tryOne(['/bin/sh', '-c', TRIAL, 'sh', folder, port], { cwd: own, path, policy });
    if (result === null) return [{ subject: 'run', ok: false, detail: `${problem}${namespaces()}` }];
    const said = result.stdout.toString('utf8').trim().split('\n');
    const without = await tryOne(['/bin/true'], { cwd: own, path, policy: null });
    const again = await tryOne(['/bin/true'], { cwd: own, path, policy });
    const milliseconds = `${again.result?.durationMs} ms, without a sandbox ${without.result?.durationMs} ms`;
    return [
      { subject: 'run', ok: true, detail: `a program starts and ends in ${milliseconds}` },
      told('writes in its own folder', said.includes('inside'), 'a program cannot write its own folder'),
      told('writes nowhere else', !said.includes('outside') && !said.includes('system'), 'a program wrote outside'),
      told('sees no data folder', !said.includes('secret'), 'a program saw the data folder'),
      told('reaches no network', !said.includes('network'), 'a program reached a port of this machine'),
    ];
  } finally {
    host.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const told = (subject: string, ok: boolean, otherwise: string): SandboxTrial => ({
  subject,
  ok,
  detail: ok ? 'yes' : `${otherwise}: do not trust it, and report it`,
});

async function tryOne(
  command: readonly string[],
  { cwd, path, policy }: { cwd: string; path: string; policy: SandboxPolicy | null },
) {
  try {
    const environment = { ...childEnvironment(), PATH: path };
    const options = { command, cwd, sandbox: policy, environment, timeoutMs: 10_000, maxOutputBytes: 10_000 };
    const result = await runProcess(options);
    if (result.ended === 'exit' && result.exitCode === 0) return { result, problem: null };
    return { result: null, problem: `a trial ended with ${result.ended}, exit code ${result.exitCode}` };
  } catch (error) {
    return { result: null, problem: oneLine(error) };
  }
}

/** Switches of a kernel that keep users from making namespaces, and what they must be set to. */
const SWITCHES = {
  '/proc/sys/user/max_user_namespaces': { wrong: '0', mend: 'sysctl user.max_user_namespaces=10000' },
  '/proc/sys/kernel/unprivileged_userns_clone': { wrong: '0', mend: 'sysctl kernel.unprivileged_userns_clone=1' },
  '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': {
    wrong: '1',
    mend: 'sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap',
  },
};

function namespaces(): string {
  const wrong = Object.entries(SWITCHES).filter(
    ([file, { wrong }]) => existsSync(file) && readFileSync(file, 'latin1').trim() === wrong,
  );
  if (wrong.length === 0) return '; in a container it needs the right to make namespaces';
  return `; user namespaces are switched off: ${wrong.map(([, { mend }]) => mend).join('; ')}`;
}
