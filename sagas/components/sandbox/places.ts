import { accessSync, constants, type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join, sep } from 'node:path';

/** What of this machine a program in the sandbox sees, whichever attempt it belongs to. */
export type Places = {
  /** Folders that look empty: all of the root folder that is no part of the system. */
  readonly hidden: readonly string[];
  /** Toolchains inside of hidden folders, and settings of the kernel: seen read-only. `at`: where, when that is another path. */
  readonly readable: readonly { readonly path: string; readonly at: string }[];
  /** Files and folders that only some of this machine's users may read: nobody does in here. */
  readonly masked: readonly string[];
  /** How toolchains find themselves when HOME is another one. */
  readonly variables: Readonly<Record<string, string>>;
};

/** The system: programs, libraries, their settings, and what the kernel shows. */
const SYSTEM = new Set(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'etc', 'opt', 'nix', 'snap', 'gnu']);
const KERNEL = new Set(['proc', 'sys', 'dev']);
const KERNEL_SECRETS = ['/sys/kernel/debug', '/sys/kernel/tracing', '/sys/kernel/security', '/sys/firmware'];
/**
 * What the kernel shows of itself in /proc is the machine's, and root's user may change it without any right of root's
 * (`core_pattern`: a program that the kernel starts, outside): for root it is made read-only. @returns paths of folders and of files that can be written
 */
const kernelSettings = (): string[] =>
  process.getuid?.() !== 0
    ? []
    : entriesOf('/proc')
        .filter((entry) => !/^\d+$/.test(entry.name) && !entry.isSymbolicLink())
        .map(({ name }) => `/proc/${name}`)
        .filter((path) => statSync(path).isDirectory() || ((modeOf(path) ?? 0) & 0o222) !== 0);

/** Of the system, though it lies among its data. */
const CERTIFICATES = '/var/lib/ca-certificates';

/** Toolchains below a home that look for themselves there. */
const VARIABLES: Readonly<Record<string, string>> = {
  '.pyenv': 'PYENV_ROOT',
  '.rbenv': 'RBENV_ROOT',
  '.nodenv': 'NODENV_ROOT',
  '.nvm': 'NVM_DIR',
  '.rustup': 'RUSTUP_HOME',
  '.volta': 'VOLTA_HOME',
  '.asdf': 'ASDF_DATA_DIR',
  '.sdkman': 'SDKMAN_DIR',
};
/** Toolchains that keep a part of themselves in another folder of the home. */
const BESIDE: Readonly<Record<string, readonly string[]>> = { '.cargo': ['.rustup'] };
/** Folders of a home that are no toolchain as a whole: only the programs in them are. */
const MIXED = new Set(['.local', '.config', '.cache']);
const CREDENTIALS = /credential|token|secret|netrc|npmrc|pypirc|^\.env|^auth|^config(\.toml|\.json)?$/i;

const KEPT_MILLISECONDS = 300_000;
const kept = new Map<string, { readonly at: number; readonly places: Places }>();

/**
 * Looks around on this machine: at most once in five minutes for the same PATH, because it reads a few thousand names.
 * @param path PATH as the program gets it
 * @param home of whoever runs Workledger
 */
export function placesOf(path: string, home: string): Places {
  const key = `${home}\n${path}`;
  const known = kept.get(key);
  if (known !== undefined && performance.now() - known.at < KEPT_MILLISECONDS) return known.places;
  const places = lookAround(path, home);
  kept.set(key, { at: performance.now(), places });
  return places;
}

function lookAround(path: string, home: string): Places {
  const top = entriesOf('/').filter(({ name }) => !SYSTEM.has(name) && !KERNEL.has(name));
  const folders = top.filter((entry) => entry.isDirectory()).map(({ name }) => `/${name}`);
  const homes = [home, real(home)].flatMap((found) => (found === null || isIn(found, folders) ? [] : [found]));
  const hidden = [...new Set([...folders, ...homes, ...KERNEL_SECRETS.filter(existsSync)])];
  const roots = toolchains(path, home, hidden);
  const beside = roots.flatMap(({ path: root }) =>
    dirname(root) === home ? (BESIDE[basename(root)] ?? []).map((name) => join(home, name)) : [],
  );
  const readable = [
    ...roots,
    ...[...beside, ...kernelSettings(), CERTIFICATES].filter(existsSync).map((found) => ({ path: found, at: found })),
  ];
  const variables = Object.entries(VARIABLES).filter(([name]) =>
    readable.some(({ path: root }) => root === join(home, name)),
  );
  return {
    hidden,
    readable,
    masked: [
      ...top.filter((entry) => entry.isFile()).map(({ name }) => `/${name}`),
      ...['/etc', '/usr/local/etc'].flatMap(unreadableForOthers),
      ...[...roots.map(({ path: root }) => root), ...beside].flatMap(credentialsIn),
    ],
    variables: Object.fromEntries(variables.map(([name, variable]) => [variable, join(home, name)])),
  };
}

/** Folders that programs on PATH need and that lie in a hidden place: each program with the well-known root around it. */
function toolchains(path: string, home: string, hidden: readonly string[]): Places['readable'] {
  const found = new Map<string, string>();
  const see = (root: string, at = root): void => {
    if (isIn(at, hidden) && existsSync(root)) found.set(at, root);
  };
  for (const entry of new Set(path.split(delimiter).filter(isAbsolute))) {
    const folder = real(entry);
    if (folder === null) continue;
    see(rootOf(folder, home));
    if (folder !== entry) see(folder, entry);
    for (const { name } of entriesOf(folder).filter((one) => one.isSymbolicLink())) {
      const program = real(join(folder, name));
      if (program !== null && isIn(program, hidden)) see(rootOfProgram(program, home));
    }
  }
  return [...found].map(([at, root]) => ({ path: root, at }));
}

/** The toolchain around a folder of programs: never a home, nor a folder of it that holds other things. */
function rootOf(folder: string, home: string): string {
  const inHome = folder.startsWith(home + sep) ? folder.slice(home.length + 1).split(sep) : [];
  const [first = ''] = inHome;
  if (first.startsWith('.') && !MIXED.has(first)) return join(home, first);
  const around = dirname(folder);
  const mixed = around === home || MIXED.has(basename(around)) || dirname(around) === '/';
  return /^s?bin$|^shims$|^Scripts$/.test(basename(folder)) && !mixed ? around : folder;
}

/** What a program that a link names needs beside itself. */
function rootOfProgram(program: string, home: string): string {
  const modules = program.lastIndexOf(`${sep}node_modules${sep}`);
  if (modules > 0) return program.slice(0, modules + `${sep}node_modules`.length);
  const root = rootOf(dirname(program), home);
  return root === dirname(program) ? program : root;
}

/** As root, or by a group, Workledger may read what other users may not: keys, password hashes. */
function unreadableForOthers(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return [];
    const mode = modeOf(path);
    if (mode === null || !mayRead(path)) return [];
    const needed = entry.isDirectory() ? 0o001 : 0o004;
    if ((mode & needed) === 0) return [path];
    return entry.isDirectory() ? unreadableForOthers(path) : [];
  });
}

const credentialsIn = (root: string): string[] =>
  entriesOf(root)
    .filter((entry) => entry.isFile() && CREDENTIALS.test(entry.name))
    .map(({ name }) => join(root, name));

/** Whether a path is one of these folders or lies in one. */
export const isIn = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(folder === sep ? sep : folder + sep));

export function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function modeOf(path: string): number | null {
  try {
    return statSync(path).mode;
  } catch {
    return null;
  }
}

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
