import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SandboxLimits } from '../process/control-group.ts';
import { isIn, placesOf, real } from './places.ts';

/** What one program in the sandbox may see, write and reach. All paths are absolute. */
export type SandboxPolicy = {
  /** The attempt's folder and its folder for temporary files, and what else is named; what is not there is left out. */
  readonly writable: readonly string[];
  /** Seen read-only, also where it lies inside of what is hidden. */
  readonly readable: readonly string[];
  /** HOME: kept between attempts, writable. */
  readonly home: string;
  /** `name`, `name:port`, `*.name`: all that the network reaches. */
  readonly hosts: readonly string[];
  readonly limits: SandboxLimits;
  /** TMPDIR: one of the writable folders. Default: the sandbox's own /tmp. */
  readonly temporary?: string;
  /** Hidden although they may lie in a place that is seen: the data folder, files with secrets. */
  readonly hidden?: readonly string[];
  /** Where Workledger's own API listens, `host:port`, when the host `workledger` stands for it. */
  readonly api?: string;
};

/** Inside: where the way out begins. Chosen so that no program's usual port is taken. */
const PROXY_PORT = 39_128;
const PROXY_SOCKET = '/run/workledger/proxy.sock';
/** Bytes: what lies in memory instead of on a disk is bounded by itself, too. */
const MEMORY_FOLDER_BYTES = 512 * 1_024 ** 2;
const MEMORY_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm'];

const NAMESPACES = ['user', 'pid', 'net', 'ipc', 'uts'].map((name) => `--unshare-${name}`);

export type Entered = {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * The command inside of a sandbox: bubblewrap's arguments and the environment. Bubblewrap tells on descriptor 3 what it did.
 * @param socket the way out, a Unix socket; null: no network but a loopback of its own
 */
export function enter(
  policy: SandboxPolicy,
  asked: { readonly command: readonly string[]; readonly cwd: string; readonly environment: Entered['environment'] },
  socket: string | null,
): Entered {
  const places = placesOf(asked.environment['PATH'] ?? '', homedir());
  mkdirSync(policy.home, { recursive: true, mode: 0o700 });
  const hidden = [...places.hidden, ...(policy.hidden ?? [])];
  // What lies in a folder that is seen anyway may be a link, onto which nothing can be laid.
  const isHidden = (word: string): boolean => isIn(word, hidden) && !isIn(word, policy.readable);
  const named = asked.command.filter((word) => word.startsWith('/') && isHidden(word) && isFile(word));
  const mounts = [
    ...hidden.map((path): Mount => ({ kind: 'hide', path })),
    ...MEMORY_FOLDERS.map((path): Mount => ({ kind: 'memory', path })),
    ...places.readable.map(({ path, at }): Mount => ({ kind: 'read', path: at, from: path })),
    ...[...policy.readable, ...named].map((path): Mount => ({ kind: 'read', path })),
    ...[...policy.writable, policy.home].map((path): Mount => ({ kind: 'write', path })),
    ...places.masked.map((path): Mount => ({ kind: 'hide', path })),
  ];
  const links = linksIn(policy);
  const environment = {
    ...places.variables,
    ...asked.environment,
    HOME: policy.home,
    TMPDIR: policy.temporary ?? '/tmp',
    ...(socket === null ? {} : proxyVariables(policy)),
  };
  const command = [
    'bwrap',
    ...['--die-with-parent', ...NAMESPACES, '--unshare-cgroup-try', '--cap-drop', 'ALL', '--json-status-fd', '3'],
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...inOrder(mounts).flatMap(argumentsOf),
    ...(socket === null ? [] : ['--ro-bind', socket, PROXY_SOCKET]),
    ...inOrder(mounts).flatMap(({ kind, path }) => (kind === 'hide' && isFolder(path) ? ['--remount-ro', path] : [])),
    ...['--remount-ro', '/dev', '--chdir', asked.cwd, '--'],
    ...(socket === null && links.length === 0 ? [] : ['/bin/sh', '-c', BEFORE, 'sh', ...links, '--']),
    ...asked.command,
  ];
  return { command, environment };
}

type Mount = { readonly kind: 'hide' | 'memory' | 'read' | 'write'; readonly path: string; readonly from?: string };

/** What lies deeper comes later and is seen; of the same path the most open one is. */
function inOrder(mounts: readonly Mount[]): Mount[] {
  const openness = ['hide', 'memory', 'read', 'write'];
  const depth = ({ path }: Mount): number => path.split('/').filter((part) => part !== '').length;
  const last = new Map<string, Mount>();
  for (const mount of [...mounts].sort((a, b) => openness.indexOf(a.kind) - openness.indexOf(b.kind)))
    last.set(mount.path, mount);
  return [...last.values()].sort((a, b) => depth(a) - depth(b));
}

function argumentsOf({ kind, path, from = path }: Mount): string[] {
  switch (kind) {
    case 'hide':
      if (isFolder(path)) return ['--tmpfs', path];
      return lstatOf(path) === undefined ? [] : ['--ro-bind', '/dev/null', path];
    case 'memory':
      return ['--perms', '1777', '--size', String(MEMORY_FOLDER_BYTES), '--tmpfs', path];
    case 'read':
      return ['--ro-bind-try', real(from) ?? from, path];
    case 'write':
      return ['--bind-try', real(from) ?? from, path];
  }
}

/**
 * What runs first inside, as the program itself may do it: links in HOME for what is named below the operator's home (what stood there
 * before stays, under another name), and the way out, until it listens. Its listener is nobody's child, so that the program never waits
 * for one that it did not start. Then it becomes the program.
 */
const BEFORE = `while [ "$1" != -- ]; do
  mkdir -p "$(dirname "$1")"
  [ -L "$1" ] || [ ! -e "$1" ] || mv "$1" "$1.before-$$"
  ln -sfn "$2" "$1"
  shift 2
done
shift
if [ -n "$WORKLEDGER_PROXY" ]; then
  tries=0
  (socat TCP-LISTEN:${PROXY_PORT},bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:${PROXY_SOCKET} </dev/null >/dev/null 2>&1 &)
  until socat -u OPEN:/dev/null TCP:127.0.0.1:${PROXY_PORT} 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || { echo 'the way out of the sandbox did not begin' >&2; exit 126; }
    sleep 0.01
  done
  unset WORKLEDGER_PROXY tries
fi
unset PWD OLDPWD
exec "$@"`;

/** Pairs of a link below HOME and what it names: programs look for `~/.name`. */
function linksIn({ readable, writable, home, hidden = [] }: SandboxPolicy): string[] {
  const operators = `${homedir()}/`;
  return [...readable, ...writable]
    .filter((path) => path.startsWith(operators) && !isIn(path, hidden))
    .flatMap((path) => [join(home, path.slice(operators.length)), path]);
}

function proxyVariables({ api, hosts }: SandboxPolicy): Record<string, string> {
  const http = `http://127.0.0.1:${PROXY_PORT}`;
  const both = {
    http_proxy: http,
    https_proxy: http,
    all_proxy: `socks5h://127.0.0.1:${PROXY_PORT}`,
    no_proxy: 'localhost,127.0.0.1,::1',
  };
  const ssh = `ssh -o ProxyCommand='socat - PROXY:127.0.0.1:%h:%p,proxyport=${PROXY_PORT}'`;
  return {
    ...both,
    ...Object.fromEntries(Object.entries(both).map(([name, value]) => [name.toUpperCase(), value])),
    NODE_USE_ENV_PROXY: '1',
    WORKLEDGER_PROXY: '1',
    GIT_SSH_COMMAND: ssh,
    ...(api !== undefined && hosts.includes('workledger')
      ? { WORKLEDGER_URL: `http://workledger:${portOf(api)}` }
      : {}),
  };
}

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));

const lstatOf = (path: string) => lstatSync(path, { throwIfNoEntry: false });
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
