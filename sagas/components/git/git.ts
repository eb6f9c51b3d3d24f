import { childEnvironment } from '../process/child-environment.ts';
import { runProcess } from '../process/run-process.ts';
import { restoreSettings } from './own-settings.ts';
import { withoutCredentials } from './without-credentials.ts';

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
  'core.editor=true',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'push.gpgSign=false',
  'push.followTags=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'rerere.enabled=false',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
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
  await restoreSettings(options.environment?.['GIT_DIR'] ?? options.cwd);
  const result = await runProcess({
    command: ['git', ...SETTINGS, ...args],
    cwd: options.cwd,
    environment: { ...gitEnvironment(), ...options.environment },
    timeoutMs,
    maxOutputBytes: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    signal: options.signal,
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
    GIT_OPTIONAL_LOCKS: '0',
    GIT_MERGE_AUTOEDIT: 'no',
    GIT_AUTHOR_NAME: NAME,
    GIT_AUTHOR_EMAIL: EMAIL,
    GIT_COMMITTER_NAME: NAME,
    GIT_COMMITTER_EMAIL: EMAIL,
  };
}
