import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { startFakeGithub } from '@workledger/infra/testing/github/fake-github.ts';
import { git } from '@workledger/infra/testing/repository/git.ts';
import type { Program } from '@workledger/infra/testing/processes/program.ts';
import { freePort, SECRET, startRunner } from '../../runner/testing.ts';
import { createComponents, createRemoteComponents, type ResultOf } from '../catalogue.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { resultOf } from '../git/names.ts';
import { openGithub } from '../github/github.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import { checkSetup } from './check/check-setup.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

const AGENT = `import { writeFileSync, readFileSync } from 'node:fs';
writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');
console.log(JSON.stringify(process.env), readFileSync('.git/config', 'utf8'));`;

/** A repository on a GitHub, to which an App has the only way, and the components over it. */
async function world(where: 'here' | 'in a runner', registered: object = {}) {
  const fake = await startFakeGithub();
  const folder = mkdtempSync(join(tmpdir(), 'workledger-git-login-'));
  await writeFile(join(folder, 'app.pem'), fake.privateKey);
  fake.addRepository('acme/sample');
  fake.addRepository('acme/other');
  fake.app.installations.set('acme', 41);
  const { github: configured, outbound } = configurationSchema.parse({
    github: { url: fake.url, app: { id: 7, key: { file: 'app.pem' } } },
    outbound: { privateHosts: [fake.host] },
  });
  const quick = { everyMilliseconds: 0, changeEveryMilliseconds: 0 };
  const github = await openGithub({ github: configured, outbound }, folder, quick);
  const log = captureLog();
  const port = await freePort();
  let configuration: ComponentEnvironment['configuration'] | undefined;
  const made = createCodeWorld(store.artefacts, {
    agents: { agent: AGENT },
    repository: { url: `${fake.url}/acme/sample.git`, github: 'acme/Sample', ...registered },
    create: (given) => {
      configuration = given.configuration;
      const environment = { ...given, github, logger: log.logger };
      if (where === 'here') return createComponents(environment);
      const remote = { urls: [`http://127.0.0.1:${port}`], key: SECRET, outages: createOutages(log.logger) };
      return createRemoteComponents({ ...environment, ...remote });
    },
  });
  fake.git.host('acme/sample', made.bare);
  const runner: Program | null =
    where === 'here'
      ? null
      : await startRunner(made.folder, configuration!, { PORT: String(port), LOG_LEVEL: 'debug' });
  /** Arguments of all processes of this machine, while each request is looked at. */
  const commands: string[] = [];
  fake.git.watching.look = () => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) commands.push(commandOf(pid));
  };
  onTestFinished(async () => {
    await runner?.end('SIGKILL');
    await fake.close();
    await made.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const tokens = () => [...new Set(fake.git.requests.flatMap(({ token }) => (token === null ? [] : [token])))];
  const connection = { folder, github: configured, outbound };
  return { ...made, connection, fake, commands, tokens, logged: () => log.text() + (runner?.written.output ?? '') };
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** All that stands in the files of a folder. */
const textOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

const written = (token: string): string[] => [token, Buffer.from(`x-access-token:${token}`).toString('base64')];

describe.runIf(process.platform === 'linux').each(['here', 'in a runner'] as const)('git, %s,', (where) => {
  test('reads and pushes by the tokens of an App, which stand nowhere', async () => {
    const made = await world(where);
    const { call, workRequest, base, bare, inRun, fake, tokens, text } = made;
    expect(await call<ResultOf<'code.prepare'>>('code.prepare', {})).toMatchObject({ base });
    const { commit, output } = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
    expect(git(bare, 'rev-parse', resultOf(inRun, 'generate-1', commit))).toBe(commit);

    // As after so long a time that the token has ended.
    const before = tokens();
    fake.logins.withdraw();
    const asked = fake.git.requests.length;
    expect((await call<ResultOf<'code.results'>>('code.results', {})).tasks).toEqual([inRun.taskId]);
    const later = fake.git.requests.slice(asked);
    expect(later.find(({ token }) => before.includes(token ?? ''))?.status).toBe(401);
    expect([later.at(-1)?.status, before.includes(later.at(-1)?.token ?? '')]).toEqual([200, false]);
    // One that is about to end is not used at all.
    fake.app.tokenMilliseconds = 30_000;
    fake.logins.withdraw();
    const branch = `workledger/${inRun.taskId}`;
    await call('code.publish', { commit, branch });
    expect(git(bare, 'rev-parse', branch)).toBe(commit);

    const bodies = fake.calls.filter(({ path }) => path.endsWith('/access_tokens')).map(({ body }) => body);
    expect(new Set(bodies)).toEqual(new Set(['{"repositories":["Sample"],"permissions":{"contents":"write"}}']));
    expect(tokens().length).toBeGreaterThan(2);
    expect(made.commands.some((command) => command.includes(`${fake.url}/acme/sample.git`))).toBe(true);
    const seen = [made.commands.join('\n'), textOf(made.folder), made.logged(), await text(output.digest)].join('\n');
    expect(seen).toContain('GIT_CEILING_DIRECTORIES');
    expect(
      tokens()
        .flatMap(written)
        .filter((value) => seen.includes(value)),
    ).toEqual([]);
    expect(seen).not.toMatch(/x-access-token:|ghs_/);
  });

  test('has no login for the address of another repository', async () => {
    const { call, tokens, fake } = await world(where, { github: 'acme/other' });
    await expect(call('code.prepare', {})).rejects.toThrow(/the origin refuses the login|could not read Username/);
    expect([tokens(), fake.count('POST', /access_tokens$/)]).toEqual([[], 0]);
    expect(fake.git.requests.map(({ status }) => status)).toEqual([401]);
  });

  test('is told why an App cannot let it in', async () => {
    const { call, fake } = await world(where);
    fake.app.installations.clear();
    await expect(call('code.prepare', {})).rejects.toMatchObject({
      ...{ retryable: false, fault: 'origin' },
      message: expect.stringContaining('the GitHub App is not installed for acme/Sample') as string,
    });
  });
});

test('a configuration is tried by the same login', async () => {
  const { fake, connection, repository, dataFolder, tokens } = await world('here');
  const { folder, ...systems } = connection;
  const registered = { ...repository, test: ['true'], evaluate: null, name: 'sample' };
  const configuration = configurationSchema.parse({ ...systems, sandbox: 'off', repositories: [registered] });
  const results = await checkSetup({ configuration, folder, dataFolder });
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect(results.map(({ subject }) => subject)).toContain('repository "sample": results');
  expect([tokens().length, fake.git.requests.every(({ status }) => status === 200)]).toEqual([1, true]);
});
