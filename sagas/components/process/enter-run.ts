import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { enter, type SandboxPolicy } from '../sandbox/bubblewrap.ts';
import { type Proxy, startProxy } from '../sandbox/proxy.ts';
import { type ControlGroup, createControlGroup, endControlGroup, type SandboxLimits } from './control-group.ts';
import { MARK } from './tree.ts';

export type ProcessOptions = {
  /** Executable and arguments; there is no shell. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment; see `childEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs: number;
  /** Bytes kept of the output: its head and its tail. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between SIGTERM and SIGKILL; 0: it is killed at once. Default: 2,000. */
  readonly graceMs?: number;
  /** Also kill what left the group but works in `cwd` (Linux); for programs that we do not know. */
  readonly killStrays?: boolean;
  /** What it may see, write and reach; null or absent: what this user may. */
  readonly sandbox?: SandboxPolicy | null | undefined;
  /** What all its processes may use together; default: the sandbox's, or no limits. */
  readonly limits?: SandboxLimits | undefined;
  /** Stands in the environment of all that it starts, so that it is known wherever it went; fit for a file name. */
  readonly mark?: string;
  /** Its new files have the modes that the user's own programs give them, not those of what is Workledger's alone. */
  readonly usualUmask?: boolean;
  /** false: limits are held by watching the processes even where control groups could. */
  readonly controlGroups?: boolean;
  /** Called in the same tick in which the process was started, with the folders of its control group. */
  readonly onStart?: (pid: number, groups: readonly string[]) => void;
  /** Called with all that it prints, as it comes and whatever is kept of it. Must not throw. */
  readonly onOutput?: ((chunk: Buffer, from: 'stdout' | 'stderr') => void) | undefined;
};

/** One program as it is really started: in its sandbox, under its limits. */
export type Run = {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly group: ControlGroup | null;
  /** Removes what was made for it; kills what is still in its control group. */
  leave(): Promise<void>;
};

/**
 * Joins the control groups whose `cgroup.procs` are its arguments up to `--`, and becomes the program. It is done before the first line of the
 * program, so nothing of it is outside.
 */
const JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 126; shift; done; shift; unset PWD OLDPWD; exec "$@"';

/** Makes what a run needs beside its program. @returns null where a program that needs none is missing */
export async function enterRun(options: ProcessOptions): Promise<Run> {
  const { sandbox, mark, cwd } = options;
  const limits = options.limits ?? sandbox?.limits;
  const environment = {
    ...options.environment,
    ...(mark === undefined ? {} : { [MARK]: mark, GIT_CEILING_DIRECTORIES: dirname(cwd) }),
  };
  const asked = { command: options.command, cwd, environment };
  const proxy = await proxyOf(options);
  try {
    const entered = sandbox ? enter(sandbox, asked, proxy?.socket ?? null) : asked;
    const wanted = limits !== undefined && options.controlGroups !== false;
    const group = wanted && isThere(entered.command[0] ?? '', asked) ? createControlGroup(mark ?? 'run', limits) : null;
    const join =
      group === null ? [] : ['/bin/sh', '-c', JOIN, 'sh', ...group.folders.map((one) => `${one}/cgroup.procs`), '--'];
    return {
      ...entered,
      command: [...join, ...entered.command],
      group,
      leave: async () => {
        if (group !== null) await endControlGroup(group.folders);
        await proxy?.close();
      },
    };
  } catch (error) {
    await proxy?.close();
    throw error;
  }
}

const proxyOf = ({ sandbox }: ProcessOptions): Promise<Proxy> | null =>
  sandbox && sandbox.hosts.length > 0 ? startProxy(sandbox) : null;

/** Whether there is such a program: a shell that became it instead would only tell by its exit code. */
function isThere(name: string, { cwd, environment }: Pick<ProcessOptions, 'cwd' | 'environment'>): boolean {
  const paths = name.includes('/')
    ? [resolve(cwd, name)]
    : (environment['PATH'] ?? '').split(delimiter).map((entry) => join(entry, name));
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
