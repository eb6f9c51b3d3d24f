import { rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns } from '@workledger/shared/resilience/in-turn.ts';
import { usualUmask } from '@workledger/shared/service/program.ts';
import { childEnvironment, runProcess } from '../process/run-process.ts';
import { splitUrl, type SplitUrl } from './credentials.ts';
import { withoutCredentials } from './names.ts';

export type GitOptions = {
  /** Where it runs; a worktree command names its worktree by `environment`. */
  readonly cwd: string;
  readonly stdin?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; also for commands that use the network. */
  readonly timeoutMs?: number;
  /** Exit codes that are an answer; all others throw. */
  readonly allow?: readonly number[];
  readonly maxOutputBytes?: number;
  /** For files that programs of others work with. */
  readonly usualUmask?: boolean;
};

export type GitResult = { readonly exitCode: number; readonly stdout: Buffer; readonly stderr: string };

/** Git refused. `stderr` is its own explanation. */
export class GitFailure extends Error {
  override name = 'GitFailure';
  readonly command: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;
  constructor(command: readonly string[], exitCode: number | null, stderr: string) {
    const said = withoutCredentials(stderr);
    super(`git ${command[0] ?? ''}: ${said === '' ? `exit code ${exitCode ?? 'none'}` : said}`);
    this.command = ['git', ...command.map(withoutCredentials)];
    this.exitCode = exitCode;
    this.stderr = said;
  }
}

const TIMEOUT_MS = 600_000;
const MAX_OUTPUT_BYTES = 128 * 1_024 * 1_024;

/** How git reaches a remote: agents of keys, helpers and proxies, never passwords of our own. */
const CONNECTION = [
  'XDG_CONFIG_HOME',
  'SSH_AUTH_SOCK',
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'GIT_SSL_CAINFO',
  'SSL_CERT_FILE',
  ...['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
];

const NAME = 'Workledger';
const EMAIL = 'workledger@localhost';

/** What a user's or a system's configuration must not change: no hook, editor, signature, pager or background work. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=false',
  // What a file became is found in the file, whatever its times say; refs are written as files.
  'core.ignoreStat=false',
  'core.trustctime=true',
  'core.checkStat=default',
  'core.splitIndex=false',
  'core.untrackedCache=false',
  'init.defaultRefFormat=files',
  'core.editor=true',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'push.gpgSign=false',
  'push.followTags=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'rerere.enabled=false',
  'submodule.recurse=false',
  'diff.ignoreSubmodules=none',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
  // Ours are bare; a user's configuration may forbid what it did not name.
  'safe.bareRepository=all',
  'protocol.version=2',
  'rebase.autoStash=false',
  'rebase.updateRefs=false',
  // A pack is moved into place as a whole: a fetch that was killed leaves no commit without its files.
  'transfer.unpackLimit=1',
  'advice.detachedHead=false',
].flatMap((setting) => ['-c', setting]);

/**
 * Runs git, without a shell, hooks or questions.
 * @throws GitFailure when it ends with a code that `allow` (default: only 0) does not name
 */
export async function git(args: readonly string[], options: GitOptions): Promise<GitResult> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const split = asUsual(args).map(splitUrl);
  const result = await runProcess({
    command: ['git', ...SETTINGS, ...split.flatMap(({ settings }) => settings), ...split.map(({ url }) => url)],
    cwd: options.cwd,
    environment: { ...gitEnvironment(), ...options.environment, ...secretsOf(split) },
    timeoutMs,
    maxOutputBytes: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    signal: options.signal,
    usualUmask: options.usualUmask === true,
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  });
  const stderr = result.stderr.toString('utf8').trim();
  if (result.ended === 'aborted') options.signal?.throwIfAborted();
  if (result.ended === 'timeout') throw new GitFailure(args, null, `no end within ${timeoutMs / 1_000} s. ${stderr}`);
  if (result.exitCode === null || !(options.allow ?? [0]).includes(result.exitCode))
    throw new GitFailure(args, result.exitCode, stderr);
  if (result.droppedBytes > 0) throw new GitFailure(args, 0, `more than ${options.maxOutputBytes} bytes of output`);
  return { exitCode: result.exitCode, stdout: result.stdout, stderr };
}

const secretsOf = (split: readonly SplitUrl[]): Record<string, string> =>
  Object.fromEntries(split.flatMap(({ environment }) => Object.entries(environment)));

/** Whose repository lies on this machine finds in it what git usually writes, and not files that only we may read. */
function asUsual(args: readonly string[]): readonly string[] {
  const umask = usualUmask();
  const isLocal = args.some((arg, index) => args[index - 1] === '--' && /^(\/|file:\/\/)/.test(arg));
  if (umask === null || args[0] !== 'push' || !isLocal) return args;
  return ['push', `--receive-pack=umask ${umask.toString(8)} && git-receive-pack`, ...args.slice(1)];
}

/** Runs git and answers its trimmed standard output. @throws GitFailure */
export async function gitText(args: readonly string[], options: GitOptions): Promise<string> {
  return (await git(args, options)).stdout.toString('utf8').trim();
}

function gitEnvironment(): Record<string, string> {
  return {
    ...childEnvironment(CONNECTION),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    // What is judged and merged is what the ids say.
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_MERGE_AUTOEDIT: 'no',
    GIT_AUTHOR_NAME: NAME,
    GIT_AUTHOR_EMAIL: EMAIL,
    GIT_COMMITTER_NAME: NAME,
    GIT_COMMITTER_EMAIL: EMAIL,
  };
}

const LOCKED = /\.lock': File exists|cannot lock ref|could not lock config/;
const LOCK_FILE = /Unable to create '([^']+\.lock)'/;
const TRIES = 40;
const PAUSE_MS = 100;
/** Git holds its locks for milliseconds; one so old belongs to a process that was killed. */
const STALE_MS = 60_000;

/** Runs a git action again while another process holds a lock of the same repository, for about five seconds. */
export async function despiteLocks<Result>(action: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof GitFailure) || !LOCKED.test(error.stderr) || attempt === TRIES) throw error;
      const file = LOCK_FILE.exec(error.stderr)?.[1];
      if (file !== undefined) await removeStale(file);
      await sleep(PAUSE_MS * (0.75 + Math.random() / 2));
    }
  }
}

async function removeStale(lock: string): Promise<void> {
  const found = await stat(lock).catch(() => null);
  if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(lock, { force: true });
}

/** Runs one action after the other for each name, in the order asked, within this process. */
export const inTurn = createTurns();
