import type { Fault } from '@workledger/shared/contexts/values.ts';

/** A failure of git as far as it tells: `command` without `git` itself, `exitCode` null when it was killed or out of time. */
export type GitFailed = {
  readonly command: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;
};

/** What a failure of git means. `reason` says how to mend it, where somebody can. */
export type Classified = { readonly reason: string; readonly retryable: boolean; readonly fault: Fault };

type Kind = {
  readonly says: RegExp;
  /** Only where git talked to the origin (default: anywhere). */
  readonly remote?: true;
  readonly retryable: boolean;
  readonly fault: Fault;
  readonly reason: (match: RegExpExecArray, failed: GitFailed) => string;
};

/** Characters of its words that are looked at. */
const LONGEST = 65_536;
const REMOTE = new Set(['fetch', 'push', 'ls-remote', 'clone']);

/** The ref that a push is about; null: none, or no push. */
function pushedRef({ command }: GitFailed): string | null {
  return command[0] === 'push' ? (/:(refs\/\S+)$/.exec(command.at(-1) ?? '')?.[1] ?? null) : null;
}

const shortName = (ref: string): string => ref.replace(/^refs\/heads\//, '');
const target = (failed: GitFailed): string => {
  const ref = pushedRef(failed);
  return ref === null ? 'what was pushed' : `"${shortName(ref)}"`;
};

/** What the origin's own programs said, without git's words around it. */
function remoteWords({ stderr }: GitFailed): string {
  const said = stderr
    .split('\n')
    .flatMap((line) => (line.startsWith('remote:') ? [line.slice('remote:'.length).trim()] : []))
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, 1_000);
  return said === '' ? '' : `: ${said}`;
}

/** The whole line that said so. */
const lineOf = ({ input, index }: RegExpExecArray): string =>
  (input.slice(input.lastIndexOf('\n', index) + 1).split('\n')[0] ?? '').slice(0, 300);

const forGood = (fault: Fault, says: RegExp, reason: Kind['reason'], remote?: true): Kind => ({
  ...{ says, reason, fault, retryable: false },
  ...(remote && { remote }),
});
const passing = (fault: Fault, says: RegExp, reason: Kind['reason'], remote?: true): Kind => ({
  ...{ says, reason, fault, retryable: true },
  ...(remote && { remote }),
});

/** The first that fits counts. */
const KINDS: readonly Kind[] = [
  // A file and a folder of one name cannot be, and refs are kept like files.
  forGood(
    'origin',
    /'refs\/(heads|tags|workledger)(\/\S+)?' exists; cannot create|directory\/file conflict|directory file conflict/,
    (match, failed) => {
      const there = /'(refs\/\S+)' exists; cannot create/.exec(match.input)?.[1];
      return there === undefined
        ? `${target(failed)} and another branch of the origin cannot both be: rename the other one`
        : `the origin has a branch named ${shortName(there)}, so ${target(failed)} cannot be: rename it`;
    },
  ),
  forGood(
    'origin',
    /\[remote rejected\].*protected branch|GH006|GH013|not allowed to (?:force )?push code to (?:a )?protected branch/i,
    (_, failed) =>
      `the origin protects ${target(failed)}${remoteWords(failed)}: let Workledger's login push it, or "merge": "never"`,
  ),
  forGood(
    'origin',
    /\[remote rejected\].*hook declined|pre-receive hook declined/,
    (_, failed) => `a hook of the origin refuses ${target(failed)}${remoteWords(failed)}`,
  ),
  forGood(
    'origin',
    /refusing to update checked out branch|branch is currently checked out/,
    (_, failed) =>
      `${target(failed)} is checked out in the origin, git does not move it: use a bare repository or "merge": "never"`,
  ),
  forGood(
    'origin',
    /deny updating a hidden ref|deletion prohibited|funny refname|\[remote rejected\].*\(non-fast-forward\)/,
    (match, failed) => `the origin does not let ${target(failed)} be changed (${match[0].slice(0, 200)})`,
  ),
  forGood(
    'origin',
    /shallow update not allowed|dumb http transport does not support|does not support (?:shallow|push options|--signed)|mismatched algorithms|unsupported (?:object format|pack version)/i,
    (match) => `the origin cannot do what is asked (${match[0]}): give it a whole repository and a newer git`,
  ),
  forGood(
    'origin',
    /pack exceeds maximum allowed size|exceeds GitHub's file size limit|GH001/,
    (_, failed) => `what is pushed is too large for the origin${remoteWords(failed)}`,
  ),
  passing(
    'origin',
    /\[remote rejected\].*\((?:failed to (?:update ref|lock)|Internal Server Error|internal server error|unpacker error)/,
    (match, failed) => `the origin could not take ${target(failed)} (${match[0].slice(0, 200)})`,
  ),
  // Somebody was faster; whoever pushed with a lease has looked already whether the ref has moved.
  passing(
    'origin',
    /\[rejected\].*\((?:non-fast-forward|fetch first|stale info|already exists)\)/,
    (match, failed) =>
      `${target(failed)} moved in the origin meanwhile (${match[0].slice(match[0].lastIndexOf('(') + 1, -1)})`,
  ),
  forGood(
    'origin',
    /\[remote rejected\][^\n]*/,
    (match, failed) => `the origin refuses ${target(failed)}${remoteWords(failed)} (${match[0].trim().slice(0, 200)})`,
  ),
  forGood(
    'origin',
    /archived so it is read-only|repository has been archived|read-only (?:mode|repository)/i,
    (_, failed) => `the origin is read-only${remoteWords(failed)}`,
  ),
  forGood(
    'origin',
    /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    () => 'the key of the origin is not known here: look at it, and add it to known_hosts',
  ),
  forGood(
    'origin',
    /SSL certificate problem|certificate verification failed|certificate (?:has expired|is not yet valid)|unable to get local issuer|no alternative certificate subject name/i,
    (match) =>
      `the origin's certificate is not trusted (${match[0]}): renew it, or name its authority in GIT_SSL_CAINFO`,
  ),
  passing(
    'origin',
    /requested URL returned error: (?:408|429|5\d\d)|HTTP (?:429|5\d\d)|rate limit|too many requests/i,
    (match) => `the origin cannot answer now (${match[0]})`,
  ),
  forGood(
    'origin',
    /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied \(|HTTP Basic: Access denied|Invalid username or (?:password|token)|Permission to \S+ denied|returned error: 40[13]|Permission denied$|insufficient permission/im,
    (match) =>
      `the origin refuses the login (${match[0]}): give git a key or a token that may read and push, and try "npm start -- --check"`,
    true,
  ),
  forGood(
    'origin',
    /(?:repository|Repository)\b[^\n]*\bnot found|does not appear to be a git repository|' does not exist|returned error: (?:404|410)|not a git repository/,
    (match) => `there is no such repository, or this login does not see it (${lineOf(match)}): correct its "url"`,
    true,
  ),
  passing(
    'origin',
    /Could not resolve host(?:name)?|Name or service not known|Temporary failure in name resolution|No address associated/i,
    (match) => `the origin's host is not found (${match[0]}): if that stays, correct its "url"`,
  ),
  passing(
    'origin',
    /Connection (?:refused|reset|timed out|closed)|Operation timed out|Network is unreachable|No route to host|unexpected disconnect|early EOF|hung up unexpectedly|RPC failed|SSL_ERROR_SYSCALL|SSL_read|gnutls_handshake|TLS connection was non-properly terminated|Failed to connect|Empty reply from server|HTTP\/2 stream|Broken pipe/i,
    (match) => `the origin cannot be reached (${match[0]})`,
    true,
  ),
  passing('origin', /^no end within [^.]*/, (match) => `the origin does not answer: ${match[0]}`, true),
  forGood(
    'origin',
    /not our ref|couldn't find remote ref|Server does not allow request for unadvertised object/i,
    (match) => `the origin does not have it any more (${match[0]}): was its history rewritten?`,
  ),
  forGood(
    'origin',
    /transport '\S+' not allowed|(?:unable to find remote helper for|remote helper) '\S+'|protocol '\S+' is not supported/,
    (match) => `git does not speak with such an origin (${match[0]}): use a path, file://, https:// or ssh`,
  ),
  forGood(
    'origin',
    /cannot use bare repository|safe\.bareRepository/,
    () => 'git is told to use no bare repository (safe.bareRepository): allow it for the user who runs the origin',
  ),
  forGood(
    'origin',
    /detected dubious ownership in repository(?: at '[^']*')?/,
    () => 'the repository belongs to another user: "git config --global --add safe.directory" with its path allows it',
  ),
  forGood(
    'work',
    /git-lfs[^\n]*(?:not found|No such file)|external filter '[^']*' failed|smudge filter \S+ failed|clean filter '?\S+ failed/,
    (match) => `a filter that the repository needs does not run (${match[0].slice(0, 200)}): install it here`,
  ),
  forGood(
    'work',
    /(?:Invalid|Unimplemented|Missing '\)' at the end of) pathspec magic[^\n]*|pathspec '[^']*' (?:did not match|is beyond|is outside)[^\n]*/,
    (match) => `git does not understand a path (${match[0].slice(0, 300)}): correct "protectedPaths"`,
  ),
  passing(
    'component',
    /No space left on device|Disk quota exceeded|disk full/i,
    (match) => `the disk is full (${match[0]}): make room`,
  ),
  passing(
    'component',
    /[Oo]ut of memory|malloc failed|Cannot allocate memory|cannot fork|unable to create thread/,
    (match) => `there is too little memory (${match[0]})`,
  ),
  passing(
    'component',
    /\.lock': File exists|cannot lock ref|could not lock config/,
    (match) => `another process holds a lock of the repository (${match[0]})`,
  ),
];

/**
 * What a failure of git means: for good or passing, whose fault, and how to mend it. What is not known is passing, and the
 * component's, as it says.
 */
export function classifyGit({ command, exitCode, stderr }: GitFailed): Classified {
  const failed = { command, exitCode, stderr: stderr.slice(-LONGEST) };
  const remote = REMOTE.has(failed.command[0] ?? '');
  for (const kind of KINDS) {
    const match = kind.remote === true && !remote ? null : kind.says.exec(failed.stderr);
    if (match === null) continue;
    const { retryable } = kind;
    // The same words behind "remote:" are about the origin's own machine.
    const fault = kind.fault === 'component' && isTheirs(failed, match) ? 'origin' : kind.fault;
    return { reason: kind.reason(match, failed), retryable, fault };
  }
  const said = failed.stderr === '' ? `exit code ${failed.exitCode ?? 'none'}` : failed.stderr;
  const killed = failed.exitCode === null || failed.exitCode === 137;
  const reason = killed && !said.startsWith('no end within') ? `killed, perhaps for want of memory: ${said}` : said;
  return { reason: `git ${failed.command[0] ?? ''} failed: ${reason}`, retryable: true, fault: 'component' };
}

function isTheirs({ stderr }: GitFailed, { index }: RegExpExecArray): boolean {
  const line = stderr.slice(stderr.lastIndexOf('\n', index) + 1);
  return line.startsWith('remote:');
}
