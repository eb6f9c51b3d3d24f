import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { placeOf } from './evolution/packages.ts';
import { programsOf } from './programs.ts';
import { describeWithSandbox } from './sandbox/testing.ts';
import { createTrials } from './try-program.ts';

let folder: string;
let dataFolder: string;
const signal = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'workledger-programs-'));
  dataFolder = join(folder, 'data');
  vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}${process.env['PATH']}`);
  mkdirSync(join(folder, 'bin'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A program on PATH that counts its starts. */
function program(name: string, script: string): string {
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\necho "$0 $*" >>${join(folder, 'starts')}\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}
const starts = (): number =>
  existsSync(join(folder, 'starts')) ? readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').length : 0;

const openevolve = { file: 'a.py', model: 'm' };
const configured = (agent: object, evolves = false) =>
  configurationSchema.parse({
    agents: [{ name: 'claude', ...agent }],
    repositories: [
      {
        ...{ name: 'shop', url: 'nowhere', test: ['true'], evaluate: ['true'] },
        ...(evolves && { evolve: { metric: 'ms', direction: 'minimize', openevolve } }),
      },
    ],
  });

function look(agent: object, now?: () => number) {
  const programs = programsOf(configured(agent), { dataFolder, sandbox: null }, createTrials(now));
  expect(Object.keys(programs)).toEqual(['agent claude']);
  return (): Promise<void> => programs['agent claude']!.check!(signal);
}

describe("an agent's program", () => {
  test('that is not there, or is named by a relative path, is a fault in words without a path', async () => {
    await expect(look({ command: ['/opt/none/agent'] })()).rejects.toThrow('"agent" is not there, or may not be run');
    await expect(look({ command: ['./agent'] })()).rejects.toMatchObject({
      ...{ name: 'Unfit', state: 'unavailable', message: expect.stringMatching(/^"agent" is named by a relative/) },
    });
  });

  test('is not started where nobody knows what it would do', async () => {
    program('my-agent', 'exit 9');
    await look({ command: ['my-agent', '--work'] })();
    await look({ profile: 'claude-code', command: ['my-agent'] })();
    expect(starts()).toBe(0);
  });

  test('that its profile is made for is asked for its version, once, and again after an hour or when it changed', async () => {
    let now = 0;
    const check = look({ profile: 'claude-code' }, () => now);
    program('claude', '[ "$*" = --version ] && [ "$HOME" != /root ] && echo 2.1.0');
    for (let time = 0; time < 3; time++) await check();
    expect(starts()).toBe(1);
    now += 3_600_000;
    await check();
    expect(starts()).toBe(2);
    await new Promise((wake) => setTimeout(wake, 20));
    program('claude', 'exit 7');
    await expect(check()).rejects.toThrow('"claude" ends with 7');
    await expect(check()).rejects.toThrow('"claude" ends with 7');
    expect(starts()).toBe(3);
    now += 300_000;
    await expect(check()).rejects.toThrow();
    expect(starts()).toBe(4);
  });
});

describeWithSandbox('in the sandbox', () => {
  test('it is tried without a network, and sees no data folder', async () => {
    writeFileSync(
      program('claude', ''),
      `#!/bin/sh\n! ls ${dataFolder}/admin-key && ! socat -u OPEN:/dev/null TCP:1.1.1.1:53\n`,
    );
    mkdirSync(dataFolder);
    writeFileSync(join(dataFolder, 'admin-key'), 'x');
    const place = { dataFolder, sandbox: { hidden: [], api: null } };
    await programsOf(configured({ profile: 'claude-code' }), place)['agent claude']!.check!(signal);
  });
});

describe("OpenEvolve's packages", () => {
  const check = (): Promise<void> =>
    programsOf(configured({ command: ['true'] }, true), { dataFolder, sandbox: null })['openevolve']!.check!(signal);
  const python = (version: string, rest = ''): string =>
    program('python3', `case "$2" in *version_info*) echo ${version};; *) ${rest};; esac`);

  test('are looked at only where a repository uses them', () => {
    expect(Object.keys(programsOf(configured({ command: ['true'] }), { dataFolder }))).toEqual(['agent claude']);
  });

  test('need a Python that is new enough, and are fetched by the first run', async () => {
    python('3.9');
    await expect(check()).rejects.toThrow('python3 is 3.9: it needs 3.11 or newer');
    rmSync(join(folder, 'bin', 'python3'));
    python('3.12');
    await expect(check()).rejects.toMatchObject({ state: 'degraded', message: expect.stringMatching(/first run/) });
  });

  test('are imported, and are of the version that is pinned', async () => {
    mkdirSync(placeOf(dataFolder, '3.12'), { recursive: true });
    python('3.12', 'exit 1');
    await expect(check()).rejects.toThrow('"python3" ends with 1');
    python('3.12', 'echo 0.0.1');
    await expect(check()).rejects.toThrow(/^its packages are of version 0.0.1: [\d.]+ is pinned$/);
    const [, pinned] = /0.0.1: ([\d.]+) is/.exec(String(await check().catch((error: unknown) => error)))!;
    python('3.12', `[ "$PYTHONPATH" = ${placeOf(dataFolder, '3.12')} ] && echo ${pinned}`);
    await check();
  });

  test('are not there where python3 is not', async () => {
    const bin = join(folder, 'empty');
    mkdirSync(bin);
    symlinkSync('/bin/sh', join(bin, 'sh'));
    vi.stubEnv('PATH', bin);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(check()).rejects.toThrow(/^python3 is not on PATH/);
  });
});
