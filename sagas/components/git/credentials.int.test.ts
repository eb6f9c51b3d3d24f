import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fetchOrigin } from './commits.ts';
import { splitUrl } from './credentials.ts';
import { GitFailure } from './git.ts';
import { openMirror } from './mirror.ts';
import { remoteRef } from './push.ts';

const COMMIT = 'c'.repeat(40);
const TOKEN = 'ghs_a-very:secret/token';
const encoded = encodeURIComponent(TOKEN);

type Seen = { readonly authorization: string | undefined; readonly commands: readonly string[] };

/** An origin that answers who knows the token, and looks at all processes of the machine meanwhile. */
async function origin(): Promise<{ host: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const { authorization } = request.headers;
    const commands = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(commandOf); // prettier-ignore
    seen.push({ authorization, commands: commands.filter((command) => command.includes(host)) });
    response.statusCode = authorization === basic(`x-access-token:${TOKEN}`) ? 200 : 401;
    response.setHeader('WWW-Authenticate', 'Basic realm="origin"');
    response.end(response.statusCode === 200 && request.url?.startsWith('/o/r.git/info/refs') ? `${COMMIT}\trefs/heads/main\n` : ''); // prettier-ignore
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => void server.close());
  return { host, seen };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function mirrorOf(url: string) {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-credentials-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return openMirror(folder, url);
}

test.runIf(process.platform === 'linux')('a token reaches the origin, and no argument and no file', async () => {
  const { host, seen } = await origin();
  const mirror = await mirrorOf(`http://x-access-token:${encoded}@${host}/o/r.git`);
  expect(await remoteRef(mirror, 'refs/heads/main')).toBe(COMMIT);
  // The commit that it names is not there: what git noted until then is looked at.
  await expect(fetchOrigin(mirror, null)).rejects.toThrow(GitFailure);
  expect(seen.length).toBeGreaterThan(2);
  for (const { authorization, commands } of seen) {
    expect(authorization).toBe(basic(`x-access-token:${TOKEN}`));
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((command) => /ghs_|x-access-token/.test(command) || command.includes(encoded))).toEqual([]);
  }
  const files = readdirSync(mirror.gitFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()); // prettier-ignore
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toMatch(/ghs_|x-access/);
});

test('a wrong token is refused, and no error shows it', async () => {
  const { host } = await origin();
  const opened = mirrorOf(`http://ada:wrong-token@${host}/o/r.git`);
  const refused = opened.then((mirror) => remoteRef(mirror, 'refs/heads/main'));
  await expect(refused).rejects.toThrow(GitFailure);
  await expect(refused).rejects.not.toThrow(/wrong-token|d3Jvbmct/);
});

test('a token of an App is asked for at each call, anew once where it is refused, and the machine keeps its own login', async () => {
  const { host, seen } = await origin();
  const home = mkdtempSync(join(tmpdir(), 'workledger-home-'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });
  const helper = `helper = "!f() { echo $1 >> '${home}/helped'; echo username=ada; echo password=own; }; f"`;
  const header = 'extraHeader = "Authorization: Basic b3du"';
  writeFileSync(
    join(home, '.gitconfig'),
    `[credential "http://${host}/o/r.git"]\n${helper}\n[credential]\n${helper}\n[http "http://${host}/o/"]\n${header}\n`,
  );
  vi.stubEnv('HOME', home);
  const refusals: (string | null)[] = [];
  const login = (refused: string | null): Promise<string> => {
    refusals.push(refused);
    return Promise.resolve(refused === null ? 'withdrawn' : TOKEN);
  };
  const mirror = await openMirror(join(home, 'data'), `http://${host}/o/r.git`, undefined, login);
  expect(await remoteRef(mirror, 'refs/heads/main')).toBe(COMMIT);
  expect(refusals).toEqual([null, 'withdrawn', null, 'withdrawn']);
  const told = [basic('x-access-token:withdrawn'), basic(`x-access-token:${TOKEN}`)];
  const changes = seen.filter(({ authorization }, at) => authorization !== seen[at - 1]?.authorization);
  expect(changes.map(({ authorization }) => authorization)).toEqual([...told, ...told]);
  expect(existsSync(join(home, 'helped'))).toBe(false);
  const refused = remoteRef({ ...mirror, login: () => Promise.resolve('withdrawn') }, 'refs/heads/main');
  await expect(refused).rejects.toThrow(/could not read Username/);
  await expect(refused).rejects.not.toThrow(/withdrawn/);
});

test('a user alone is told to the helpers of git', () => {
  expect(splitUrl('https://ada@example.org/r.git')).toEqual({
    url: 'https://example.org/r.git',
    settings: ['--config-env=credential.https://example.org/.username=WORKLEDGER_GIT_USER'],
    environment: { WORKLEDGER_GIT_USER: 'ada' },
  });
});

test.each(['https://example.org/a@b/r.git', 'git@example.org:o/r.git', '/home/ada@work/r', 'ssh://git@example.org/r'])(
  'leaves %s as it is',
  (url) => expect(splitUrl(url)).toEqual({ url, settings: [], environment: {} }),
);

test.each(['https://ada:pa#ss@example.org/r', 'https://ada:pa@ss@example.org/r', 'https://ada:50%@example.org/r'])(
  'leaves nothing of the password of %s in the address',
  (url) => expect(splitUrl(url).url).toBe('https://example.org/r'),
);
