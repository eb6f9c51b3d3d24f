import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { openSandbox, trySandbox } from './open.ts';
import { placesOf } from './places.ts';
import { sandboxFor } from './policy.ts';
import { describeWithSandbox } from './testing.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'workledger-open-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const open = async (sandbox: 'auto' | 'required' | 'off', tried?: Awaited<ReturnType<typeof trySandbox>>) => {
  const webhooks = { github: { secrets: [{ file: 'secrets/hook' }, { env: 'HOOK' }] } };
  return openSandbox(configurationSchema.parse({ sandbox, webhooks }), { folder, dataFolder: folder }, tried);
};

test('where a program is missing one line says which, and how to get it', async () => {
  const tried = await trySandbox(folder, folder);
  const remedy = 'bwrap and socat not found on PATH: apt-get install bubblewrap socat';
  expect(tried).toEqual([{ subject: 'programs', ok: false, detail: remedy }]);
  const line = `NONE, agents and commands run with your own rights: ${remedy}`;
  expect(await open('auto', tried)).toEqual({ sandbox: null, line });
  await expect(open('required', tried)).rejects.toThrow(ConfigurationError);
  await expect(open('required', tried)).rejects.toThrow(`sandbox: "required" → ${remedy}`);
  expect((await open('off', tried)).sandbox).toBeNull();
});

test('where bubblewrap may make no namespaces its own words are told', async () => {
  const said = 'bwrap: No permissions to create new namespace';
  writeFileSync(join(folder, 'bwrap'), `#!/bin/sh\necho '${said}' >&2\nexit 1\n`, { mode: 0o755 });
  symlinkSync('/bin/true', join(folder, 'socat'));
  const failed = (await trySandbox(folder, folder)).filter(({ ok }) => !ok);
  expect(failed).toMatchObject([{ subject: 'run', detail: expect.stringContaining(said) as string }]);
});

describeWithSandbox('where it can run', () => {
  test('each thing that it promises was tried', async () => {
    const tried = await trySandbox(folder);
    expect(tried.map(({ ok }) => ok)).toEqual(tried.map(() => true));
    expect(tried.map(({ subject }) => subject)).toContain('reaches no network');
    expect(await open('required', tried)).toEqual({
      sandbox: { hidden: [join(folder, 'secrets', 'hook')], api: '127.0.0.1:8080' },
      line: 'on',
    });
  });
});

test('programs on PATH are seen with their toolchain wherever it is, and nothing else of the home', () => {
  const home = join(folder, 'home');
  const make = (path: string, text = ''): string => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), text);
    return join(home, path);
  };
  make('.cargo/bin/cargo');
  const credentials = make('.cargo/credentials.toml');
  make('.rustup/settings.toml');
  make('.nvm/versions/node/v20/bin/node');
  const claude = make('.local/share/claude/1.2.3');
  const script = make('.local/lib/node_modules/tool/cli.js');
  mkdirSync(join(home, '.local', 'bin'));
  symlinkSync(claude, join(home, '.local', 'bin', 'claude'));
  symlinkSync(script, join(home, '.local', 'bin', 'tool'));
  make('.ssh/id_ed25519');
  make('bin/mine');
  make('work/venv/bin/python');
  const path = ['.cargo/bin', '.nvm/versions/node/v20/bin', '.local/bin', 'bin', 'work/venv/bin', 'none/bin'];
  const places = placesOf([...path.map((entry) => join(home, entry)), '/usr/bin'].join(':'), home);
  const seen = places.readable.map(({ at }) => at).filter((at) => at.startsWith(home));
  expect(seen.map((at) => at.slice(home.length + 1)).sort()).toEqual(
    [
      '.cargo',
      '.local/bin',
      '.local/lib/node_modules',
      '.local/share/claude/1.2.3',
      '.nvm',
      '.rustup',
      'bin',
      'work/venv',
    ].sort(),
  );
  expect(places.masked).toContain(credentials);
  expect(places.variables).toMatchObject({ RUSTUP_HOME: join(home, '.rustup'), NVM_DIR: join(home, '.nvm') });
  for (const hidden of ['/root', '/tmp', '/var', '/run']) expect(places.hidden).toContain(hidden);
});

test('a repository and an agent open their own, and only an agent speaks to Workledger', () => {
  const access = (name: string) => ({ allowHosts: [`${name}.example`], read: [`/r/${name}`], write: [`/w/${name}`] });
  const { repositories, agents } = configurationSchema.parse({
    repositories: [
      { name: 'a/b', url: 'x', test: ['true'], ...access('repository') },
      { name: 'c', url: 'x', test: ['true'], allowHosts: ['workledger'] },
    ],
    agents: [{ name: 'ada', command: ['x'], ...access('agent'), limits: { processes: 7 } }],
  });
  const temporary = join(folder, 'temporary');
  const policyOf = (repository = repositories[0]!, agent = agents[0] ?? null, sandbox: object | null = {}) =>
    sandboxFor(
      {
        environment: { sandbox: sandbox && { hidden: ['/secret'], api: null }, dataFolder: folder },
        repository,
      },
      agent === null ? {} : { agent },
      {
        path: join(folder, 'own'),
        temporary,
        mirror: { url: 'x', login: null, gitFolder: '/work.git', originFolder: '/origin.git' },
      },
    );
  expect(policyOf()).toMatchObject({
    writable: [join(folder, 'own'), temporary, '/w/repository', '/w/agent'],
    readable: ['/origin.git', '/r/repository', '/r/agent'],
    hosts: ['repository.example', 'agent.example'],
    home: join(folder, 'homes', 'ada'),
    hidden: [folder, '/secret'],
    limits: { processes: 7 },
  });
  expect(policyOf(repositories[0], null)).toMatchObject({
    readable: ['/origin.git', '/r/repository'],
    hosts: ['repository.example'],
    home: join(folder, 'homes', '.repository-a+b'),
  });
  expect(policyOf(repositories[1])?.hosts).toEqual(['agent.example']);
  expect(policyOf(repositories[0], agents[0], null)).toBeNull();
});
