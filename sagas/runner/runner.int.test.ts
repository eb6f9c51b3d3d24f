import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { eventuallyGone, processesOf } from '@workledger/infra/testing/processes/processes.ts';
import type { Program } from '@workledger/infra/testing/processes/program.ts';
import { until } from '@workledger/infra/testing/processes/until.ts';
import { git } from '@workledger/infra/testing/repository/git.ts';
import { createRemoteComponents, type ResultOf } from '../components/catalogue.ts';
import type { ComponentEnvironment } from '../components/environment.ts';
import type { Component } from '../engine/component.ts';
import type { Note } from '../engine/notes.ts';
import { resultOf } from '../components/git/names.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../components/testing.ts';
import { freePort, SECRET, startRunner } from './testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

/** Repository, agent, and the components as sagas have them, performed by a process that a test starts. */
async function world(agent: string, environment: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  let configuration: ComponentEnvironment['configuration'] | undefined;
  const made = createCodeWorld(store.artefacts, {
    agents: { agent },
    agent: { environment: Object.keys(environment) },
    create: (given) => {
      configuration = given.configuration;
      const outages = createOutages(captureLog().logger);
      return createRemoteComponents({ ...given, urls: [`http://127.0.0.1:${port}`], key: SECRET, outages });
    },
  });
  const runners: Program[] = [];
  onTestFinished(async () => {
    for (const runner of runners) await runner.end('SIGKILL');
    await made.remove();
  });
  const start = async (): Promise<Program> => {
    const runner = await startRunner(made.folder, configuration!, { ...environment, PORT: String(port) });
    runners.push(runner);
    return runner;
  };
  return { ...made, start };
}

const fix = `import { writeFileSync, existsSync } from 'node:fs'; import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');
const file = (name) => join(dirname(process.argv[1]), name);`;
/** Leaves a child in its group and hangs, until a file lets it go. */
const hangs = `${fix}
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
if (!existsSync(file('go'))) { writeFileSync(file('pids'), process.pid + ' ' + child.pid + ' .'); setInterval(() => {}, 1000); }
else process.exit(0);`;

const pidsIn = (folder: string): Promise<number[]> =>
  until('the agent', () => {
    const file = join(folder, 'pids');
    const pids = existsSync(file) ? readFileSync(file, 'utf8').split(' ') : [];
    return pids.length === 3 && pids.slice(0, 2).map(Number);
  });

test('an agent works in a runner that has no store: its variables are masked there, its commit is in the origin', async () => {
  const { call, workRequest, start, bare, inRun, text, leftovers } = await world(
    `${fix} console.log('token', process.env.MODEL_KEY, Object.keys(process.env).sort().join());`,
    { MODEL_KEY: 'not-for-anybody' },
  );
  await start();
  const result = await call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
  expect(git(bare, 'rev-parse', resultOf(inRun, 'generate-1', result.commit))).toBe(result.commit);
  expect(await text(result.diff.digest)).toContain('+export const add = (a, b) => a + b;');
  expect(await text(result.prompt.digest)).toContain('# Fix add\n\nIt subtracts.');
  expect(await text(result.output.digest)).toMatch(
    /^token \[hidden\] CI,GIT_CEILING_DIRECTORIES,HOME,(LANG,)?MODEL_KEY,PATH,WORKLEDGER_ATTEMPT\n$/,
  );
  expect(leftovers()).toEqual([]);
});

test('what an agent says of its progress in a runner is told while it works, the newest, without its secrets', async () => {
  const { workRequest, start, inRun, components } = await world(
    `${fix} for (let i = 0; i < 10_000; i++) console.log('::progress ' + (i % 100) + '% ' + process.env.MODEL_KEY + i);
setTimeout(() => console.log('::progress 99% nearly'), 1_200); setTimeout(() => {}, 2_500);`,
    { MODEL_KEY: 'not-for-anybody' },
  );
  await start();
  const notes: Note[] = [];
  const work: Component<object> | undefined = components().find(({ name }) => name === 'code.work');
  const signal = new AbortController().signal;
  const request = { ...inRun, ...workRequest('agent') };
  await work?.perform(request, { key: 'noted', signal, note: (note) => void notes.push(note) });
  expect(notes.at(-1)).toEqual({ text: 'nearly', percent: 99 });
  expect(notes.length).toBeLessThanOrEqual(5);
  expect(notes[0]?.text).toMatch(/^\[hidden\]\d+$/);
});

test('kill -9 of the runner in the middle of an agent: it is done again by the next one, and nothing is left', async () => {
  const { call, workRequest, start, folder, leftovers } = await world(hangs);
  const work = (): Promise<ResultOf<'code.work'>> => call<ResultOf<'code.work'>>('code.work', workRequest('agent'));
  const runner = await start();
  const lost = work().catch((error: unknown) => error);
  const pids = await pidsIn(folder);
  await runner.end('SIGKILL');
  expect(await lost).toMatchObject({
    retryable: true,
    fault: 'work',
    message: expect.stringMatching(/was lost/) as string,
  });
  const away: unknown = await work().catch((error: unknown) => error);
  expect(away).toMatchObject({ name: 'RunnerAway' });

  await start();
  writeFileSync(join(folder, 'go'), '');
  expect((await work()).diffStat).toEqual({ files: 1, insertions: 1, deletions: 1 });
  for (const pid of pids) expect(await eventuallyGone(pid)).toBe(true);
  expect(leftovers()).toEqual([]);
});

test('SIGTERM: the call is given back, all that it started has ended, and the runner with it', async () => {
  const { call, workRequest, start, folder, leftovers } = await world(hangs);
  const runner = await start();
  const given = call('code.work', workRequest('agent')).catch((error: unknown) => error);
  const pids = await pidsIn(folder);
  runner.signal('SIGTERM');
  expect(await given).toMatchObject({ name: 'RunnerAway' });
  expect(await runner.ended).toBe(0);
  for (const pid of pids) expect(await eventuallyGone(pid)).toBe(true);
  expect([leftovers(), processesOf(folder)]).toEqual([[], []]);
});
