import { createHash } from 'node:crypto';
import { stat, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { namesIn } from '../git/commits.ts';
import { git } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { asCommit } from '../git/names.ts';
import { isSecret } from '../secrets.ts';
import { commandEnvironment } from './commands.ts';

/** Manifests, lock files and settings of package managers, wherever they lie in a repository. */
const INPUTS = [
  ...['package.json', 'package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'yarn.lock'],
  ...['bun.lock', 'bun.lockb', '.npmrc', '.yarnrc', '.yarnrc.yml', '.pnpmfile.cjs', '.nvmrc', '.node-version'],
  ...['requirements*.txt', 'requirements*.in', 'constraints*.txt', 'poetry.lock', 'poetry.toml', 'uv.lock', 'uv.toml'],
  ...['Pipfile', 'Pipfile.lock', 'pdm.lock', 'pyproject.toml', 'setup.py', 'setup.cfg', 'tox.ini', '.python-version'],
  ...['environment.yml', 'environment.yaml', 'conda-lock.yml', 'go.mod', 'go.sum', 'go.work', 'go.work.sum'],
  ...['Cargo.toml', 'Cargo.lock', 'rust-toolchain', 'rust-toolchain.toml', 'Gemfile', 'Gemfile.lock', '*.gemspec'],
  ...['.ruby-version', 'composer.json', 'composer.lock', 'mix.exs', 'mix.lock', 'deno.json', 'deno.lock', 'pom.xml'],
  ...['build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts', 'gradle.lockfile', '*.csproj'],
  ...['packages.lock.json', 'Package.swift', 'Package.resolved', 'pubspec.yaml', 'pubspec.lock', 'flake.nix'],
  ...['flake.lock', '.tool-versions', 'mise.toml', '.mise.toml', 'Makefile', 'makefile', 'justfile', '.gitmodules'],
  // What is generated or patched into a folder of dependencies.
  ...['*.prisma', '*.patch', 'patches/**'],
].map((name) => `:(top,glob)**/${name}`);

/** Whose versions decide what `setup` makes, beside the programs that it names. */
const TOOLS = ['node', 'npm', 'pnpm', 'yarn', 'bun', 'python3', 'python', 'uv', 'poetry', 'go', 'cargo', 'ruby', 'cc'];

/**
 * What `setup` makes of a commit, as a key: its command, the toolchain, what it is told by variables, and the manifests and lock files of
 * the commit. Values of secrets are left out.
 * @throws GitFailure for instance for a pathspec of `setupInputs` that git does not understand
 */
export async function setupKey(mirror: Mirror, repository: Repository, commit: string): Promise<string> {
  const { setup, setupInputs } = repository;
  const command = setup ?? [];
  const variables = commandEnvironment(repository);
  const told = Object.entries(variables)
    .filter(([name, value]) => !repository.secrets.includes(name) && !isSecret(name, value))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const parts = {
    version: 1,
    url: mirror.url,
    system: [process.platform, process.arch],
    ...{ command, variables: told, secrets: repository.secrets },
    toolchain: await toolchain([...command, ...TOOLS], variables['PATH'] ?? ''),
    inputs: await inputsOf(mirror, commit, [...INPUTS, ...setupInputs, ...scriptsIn(command)]),
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** A word of the command may name a file of the repository. */
const scriptsIn = (command: readonly string[]): string[] =>
  command
    .filter((word) => /^[^-/:\s][^\s]*$/.test(word) && !word.includes('..'))
    .map((word) => `:(top,literal)${word}`);

/** Ids of the empty tree, which git knows by itself. */
const NOTHING = {
  sha1: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  sha256: '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
};

/** The blobs under the pathspecs in a commit. */
async function inputsOf({ gitFolder }: Mirror, commit: string, pathspecs: readonly string[]): Promise<string> {
  const nothing = commit.length === 64 ? NOTHING.sha256 : NOTHING.sha1;
  const raw = ['diff', '--raw', '-z', '--no-abbrev', '--no-renames', '--no-ext-diff'];
  const { stdout } = await git([...raw, nothing, asCommit(commit), '--', ...pathspecs], { cwd: gitFolder });
  return namesIn(stdout)
    .map((part) => part.toString('latin1'))
    .join('\n');
}

/** Where programs of these names are, and which they are. */
async function toolchain(names: readonly string[], path: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of new Set(names.filter((word) => !word.includes('/') || word.startsWith('/'))))
    for (const file of name.startsWith('/') ? [name] : path.split(delimiter).map((entry) => join(entry, name))) {
      const real = await realpath(file).catch(() => null);
      const about = real === null ? null : await stat(real).catch(() => null);
      if (about?.isFile() !== true) continue;
      found.push(`${name} ${real} ${about.size} ${about.mtimeMs}`);
      break;
    }
  return found;
}
