import { request } from 'node:http';
import { get as getSecured } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { noProcessesOf, processesOf } from '../testing/processes/processes.ts';
import { startCommand, startProgram, type Program } from '../testing/processes/program.ts';
import { createAuthority } from '../testing/servers/authority.ts';
import { startInFolder } from '../testing/system/in-folder.ts';
import { createShellRepository, shellRegistration } from '../testing/repository/shell-repository.ts';

let root: SystemFolder;
let folder: string;
let count = 0;
beforeAll(async () => {
  root = await systemFolder();
});
beforeEach(async () => {
  folder = join(root.path, `desk-${++count}`);
  await mkdir(folder, { mode: 0o711 });
});
afterAll(() => root.remove());

const start = (...args: string[]): Program => startProgram('infra/local/start.ts', args, { cwd: folder });
const configure = (configuration: unknown): void =>
  writeFileSync(join(folder, 'workledger.json'), JSON.stringify(configuration));

/** How it ended, and what it wrote to standard error; nothing may be left running. */
async function outcome(program: Program): Promise<{ code: number | string; lines: string[] }> {
  const code = await program.ended;
  expect(processesOf(folder)).toEqual([]);
  expect(program.written.stderr).not.toMatch(/\n\s+at /);
  return { code, lines: program.written.stderr.trim().split('\n') };
}

describe('the command line', { timeout: 30_000 }, () => {
  test('--help tells every option', async () => {
    const program = start('--help');
    expect(await program.ended).toBe(0);
    expect(program.written.stdout).toMatch(/--config FILE(.*\n)*.*--data DIR(.*\n)*.*--check(.*\n)*.*--help/);
  });

  test('an unknown option is wrong usage: exit code 2, with the help', async () => {
    const { code, lines } = await outcome(start('--chekc'));
    expect(code).toBe(2);
    expect(lines[0]).toContain("'--chekc'");
    expect(lines.join('\n')).toContain('Usage: npm start');
  });
});

describe('what cannot start says so in one line (path, value, remedy) and exits with 1', { timeout: 60_000 }, () => {
  const file = (): string => join(folder, 'workledger.json');

  test.each([
    ['a wrong value', '{ "port": 70000 }', 'port: 70000 → too big: expected number to be <=65535'],
    ['an unknown field', '{ "prot": 1 }', /^prot: unknown field → remove it, or use one of: \$schema, host, port/],
    [
      'an address that is open to others',
      '{ "host": "0.0.0.0" }',
      /^host: "0\.0\.0\.0" is open to other machines, without TLS → set tls/,
    ],
    ['no JSON', '{ port: 1 }', /JSON.* → make it valid JSON$/],
    [
      'a variable that is not set',
      '{ "webhooks": { "github": { "secrets": [{ "env": "NO_SUCH_SECRET" }] } } }',
      /secrets\[0\]: environment variable NO_SUCH_SECRET is not set → set it/,
    ],
  ])('%s', async (_, text, expected) => {
    writeFileSync(file(), text);
    const { code, lines } = await outcome(start());
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.replace(`${file()}: `, '')).toMatch(expected);
  });

  test('a configuration that is not there', async () => {
    const { code, lines } = await outcome(start('--config', 'absent.json'));
    expect([code, ...lines]).toEqual([
      1,
      `${join(folder, 'absent.json')}: no such file → create it, or name another with --config`,
    ]);
  });

  test('a data folder that cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    configure({ port: 0, dataFolder: 'file/data' });
    const { code, lines } = await outcome(start());
    expect([code, ...lines]).toEqual([
      1,
      `cannot write to the data folder ${join(folder, 'file/data')} (ENOTDIR): make it writable, or choose another`,
    ]);
  });

  test('a port that is taken; PostgreSQL does not stay behind', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    configure({ port, logLevel: 'error' });
    const { code, lines } = await outcome(start());
    other.close();
    expect([code, ...lines]).toEqual([
      1,
      `127.0.0.1:${port}: the port is taken → stop the other program, or set another port`,
    ]);
  });
});

describe('a running system', { timeout: 60_000 }, () => {
  test('keeps others off its data folder, tells its key only by file, survives, and stops cleanly twice over', async () => {
    const system = await startInFolder(folder, { logLevel: 'debug' });
    const { output } = system.program.written;
    expect(output).toContain(`admin key    ${join(folder, '.workledger', 'admin-key')}`);
    expect((await stat(join(folder, '.workledger', 'admin-key'))).mode & 0o777).toBe(0o600);

    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.written.stderr.trim().split('\n').at(-1)).toMatch(
      new RegExp(
        `the data folder ${folder}.* is in use by another Workledger \\(process ${system.program.pid}\\): stop that one`,
      ),
    );
    expect((await fetch(`${system.url}/health`)).status).toBe(200);

    expect(await system.stop()).toBe(0);
    expect(processesOf(folder)).toEqual([]);
    const again = await startInFolder(folder, { logLevel: 'debug' });
    expect(again.key).toBe(system.key);
    await again.client.expect2xx('GET', '/tasks');
    expect(await again.stop()).toBe(0);
    const database = readFileSync(join(folder, '.workledger', 'postgres', 'password'), 'utf8').trim();
    for (const { written } of [system.program, second, again.program])
      expect([system.key, database].filter((secret) => written.output.includes(secret))).toEqual([]);
    await noProcessesOf(folder);
  });

  test('answers what it has begun before it stops on SIGTERM', async () => {
    const system = await startInFolder(folder, {});
    const body = JSON.stringify({ title: 'Accepted at the last moment' });
    const { port } = new URL(system.url);
    const answer = new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        Authorization: `Bearer ${system.key}`,
        'Content-Type': 'application/json',
        'Content-Length': body.length,
      };
      const asked = request({ port, path: '/api/v1/tasks', method: 'POST', headers, agent: false });
      asked.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject);
      asked.write(body.slice(0, 5));
      setTimeout(() => void system.program.until(/SIGTERM: stopping/).then(() => asked.end(body.slice(5))), 200);
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(system.program.written.output, 'nothing to worry about').not.toMatch(/"level":"(warn|error)"/);
    const stopped = system.stop();
    expect(await answer).toBe(201);
    expect(await stopped).toBe(0);
  });

  test('ends with exit code 1 and one line when PostgreSQL is killed, and starts again with all it knew', async () => {
    const system = await startInFolder(folder, { logLevel: 'silent' });
    const { id } = await system.client.expect2xx('POST', '/tasks', { body: { title: 'Kept' } });
    const pid = readFileSync(join(folder, '.workledger', 'postgres', 'cluster', 'postmaster.pid'), 'utf8');
    process.kill(Number(pid.split('\n')[0]), 'SIGKILL');
    expect(await system.program.ended).toBe(1);
    expect(system.program.written.stderr).toBe(
      'PostgreSQL has ended (signal SIGKILL): start again, nothing that was accepted is lost\n',
    );
    const again = await startInFolder(folder, {});
    const kept = await again.client.send('GET', `/tasks/${id}`, { token: `task-${id}@0` });
    expect(kept).toMatchObject({ status: 200, body: { title: 'Kept', state: 'pending' } });
    expect(await again.stop()).toBe(0);
  });

  test.each([
    ['on Ctrl-C under npm, which hands the signal on a second time', 'SIGINT', -1],
    ['when a service manager ends npm alone', 'SIGTERM', 1],
  ] as const)('stops cleanly %s', async (_, signal, group) => {
    configure({ port: 0 });
    const npm = startCommand('npm', ['start', '--silent', '--', '--config', join(folder, 'workledger.json')]);
    await npm.until(/data folder/);
    process.kill(group * npm.pid, signal);
    await npm.until(/: stopping\nstopped\n/);
    await npm.ended;
    await noProcessesOf(folder);
  });
});

test('with a certificate it answers over TLS only', { timeout: 60_000 }, async () => {
  const authority = await createAuthority();
  const { certificate, key } = await authority.issue('localhost');
  writeFileSync(join(folder, 'server.pem'), certificate);
  writeFileSync(join(folder, 'server.key'), key, { mode: 0o600 });
  configure({ port: 0, tls: { certificate: 'server.pem', key: 'server.key' } });
  const program = start();
  const [, url = ''] = await program.until(/^Workledger is ready: (https:\S+)\n(?:.*\n)*? +data folder +.*\n/m);
  const status = await new Promise((resolve, reject) =>
    getSecured(`${url.replace('127.0.0.1', 'localhost')}/health`, { ca: authority.certificate }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject),
  );
  expect(status).toBe(200);
  await expect(fetch(`${url.replace('https:', 'http:')}/health`)).rejects.toThrow();
  await program.end('SIGTERM');
  await noProcessesOf(folder);
});

describe('npm start -- --check', { timeout: 60_000 }, () => {
  const greeter = { ...shellRegistration, url: 'greeter', test: ['test', '-f', 'checks/run'] };
  beforeEach(() => createShellRepository(join(folder, 'greeter')));

  test('exits with 0 when every command and every executable is fine, and leaves no worktree', async () => {
    configure({ repositories: [greeter], agents: [{ name: 'agent', command: ['sh'] }] });
    const program = start('--check');
    expect([await program.ended, program.written.stderr]).toEqual([0, '']);
    expect(program.written.stdout).toMatch(
      /^(ok +sandbox: .*\n)+ok +repository "greeter": .*greeter, trunk at [0-9a-f]{12}\nok +repository "greeter": results: .*\nok +repository "greeter": branches: .*\nok +repository "greeter": test: .*exit code 0\nok +agent "agent": executable: .*\/sh\nall \d+ checks passed\n$/,
    );
    expect(await readdir(join(folder, '.workledger', 'worktrees'))).toEqual([]);
    expect(processesOf(folder)).toEqual([]);
  });

  test('exits with 1 without a configuration: there is nothing to check', async () => {
    configure({});
    const program = start('--check');
    expect([await program.ended, program.written.stderr]).toEqual([1, '']);
    expect(program.written.stdout).toMatch(/^FAILED +configuration: there is nothing to check: write workledger\.json/);
    expect(program.written.stdout).not.toMatch(/passed/);
  });

  test('exits with 1 and tells each fault by name', async () => {
    configure({
      repositories: [
        { ...greeter, name: 'red', test: ['sh', 'checks/run'] },
        { ...greeter, name: 'nowhere', url: 'nowhere' },
        { ...greeter, name: 'baseless', baseBranch: 'main' },
        { ...greeter, name: 'toolless', test: ['no-such-tool'] },
        { ...greeter, name: 'fine' },
      ],
      agents: [
        { name: 'absent', command: ['no-such-agent'] },
        { name: 'poor', command: ['sh'], environment: ['NO_SUCH_KEY'] },
      ],
    });
    const program = start('--check');
    expect([await program.ended, program.written.stderr]).toEqual([1, '']);
    const faults = program.written.stdout.split('\n').filter((line) => line.startsWith('FAILED'));
    expect(faults).toEqual([
      expect.stringMatching(/"red": test: sh checks\/run: exit code 4\. Last line: greet said: Hello, !$/),
      expect.stringMatching(/"nowhere": .*\/nowhere/),
      expect.stringMatching(/"baseless": no branch "main": set "baseBranch"$/),
      expect.stringMatching(/"toolless".*no-such-tool/),
      expect.stringMatching(/agent "absent": executable: "no-such-agent" is not there/),
      expect.stringMatching(/agent "poor": environment: set NO_SUCH_KEY, or do not name it$/),
    ]);
    expect(program.written.stdout).toMatch(/\n6 of \d+ checks failed\n$/);
  });
});
