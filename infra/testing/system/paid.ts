import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CHECK,
  doubling,
  findPackages,
  lendPackages,
  MEASURE,
  SEARCH,
} from '@workledger/sagas/components/evolution/testing.ts';
import { recorded } from '../agents/recorded.ts';
import { startGithubPlace } from '../github/github-place.ts';
import { startScriptedModel } from '../models/scripted-model.ts';
import { temporaryFolder, removeFolder } from '../processes/folder.ts';
import { killAndWait, processesOf } from '../processes/processes.ts';
import { createUserRepository } from '../repository/git.ts';
import type { RunningSystem, Settings } from './engine.ts';
import { deliver, labeledIssue, REPOSITORY, SENDER } from './github.ts';

/** Of US dollars: what the recorded end of Claude Code says, and what an answer of a scripted model takes. */
export const AGENT_USD = 1.25;
export const ANSWER_USD = 0.02;
export const ITERATIONS = 10;
/** So many answers OpenEvolve gets before a test has struck. */
const ANSWERED_BEFORE = 5;

/** The pinned packages of OpenEvolve; null: they cannot be had here. */
const place = await findPackages();
export const hasOpenEvolve = place !== null;

/** A Claude Code that gives up at its turns' end, and counts how often it was started. */
const givesUp = (starts: string): string => `
  import { appendFileSync, readFileSync } from 'node:fs';
  readFileSync(0, 'utf8');
  appendFileSync(${JSON.stringify(starts)}, 'started\\n');
  for (const line of ${JSON.stringify(recorded['claude-code'].failed)}) console.log(line);
  process.exitCode = 1;`;

/** A repository with a slow search; an agent that fails, two models that answer as a test says, and GitHub, which all count. */
export async function createPaid() {
  const folder = await temporaryFolder('paid');
  const files = { 'src/search.py': SEARCH, 'test/check.py': CHECK, 'test/measure.py': MEASURE };
  const github = await startGithubPlace(folder, (person) => createUserRepository(person, files));
  const starts = join(folder, 'starts');
  writeFileSync(join(folder, 'claude.mjs'), givesUp(starts));
  let hold: Promise<unknown> = Promise.resolve();
  const writer = await startScriptedModel(async () => {
    await hold;
    return { text: '@@@ FILE NOTES.md\nThe search takes strides.\n@@@ END' };
  });
  let answered = 0;
  let letEvolve = (): void => undefined;
  const struck = new Promise<void>((resolve) => (letEvolve = resolve));
  const evolver = await startScriptedModel(async (asked, number) => {
    // Time for a test to strike between two checkpoints.
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (++answered > ANSWERED_BEFORE) await struck;
    return doubling(asked, number);
  });
  const prices = { inputUsd: 10, outputUsd: 100 };
  const openevolve = {
    file: 'src/search.py',
    model: 'evolver',
    iterations: ITERATIONS,
    checkpointEvery: 2,
    parallel: 1,
  };
  const settings: Settings = {
    ...github.connection,
    outbound: { privateHosts: [github.fake.host, writer.host, evolver.host] },
    models: [
      { name: 'writer', url: writer.url, model: 'w-1', ...prices },
      { name: 'evolver', url: evolver.url, model: 'e-1', ...prices },
    ],
    repositories: [
      {
        ...{ name: 'search', url: github.origin, github: REPOSITORY, trusted: [SENDER], protectedPaths: ['test'] },
        ...{ test: ['python3', 'test/check.py'], evaluate: ['python3', 'test/measure.py'], capabilities: ['search'] },
        ...{
          merge: 'pull-request',
          pullRequest: { pollSeconds: 1 },
          generate: { models: ['writer'], capabilities: ['search'] },
        },
        evolve: {
          metric: 'steps',
          direction: 'minimize',
          measurements: 2,
          openevolve: { ...openevolve, otherwise: 'fail' },
        },
      },
    ],
    rules: [{ name: 'labelled', provider: 'github', label: 'workledger' }],
    agents: [
      {
        name: 'claude',
        profile: 'claude-code',
        command: [process.execPath, join(folder, 'claude.mjs')],
        capabilities: ['search'],
      },
    ],
    sandbox: 'off',
  };
  return {
    ...{ settings, github, writer, evolver },
    /** What is there already is not fetched. */
    lend: (system: RunningSystem): void => {
      for (const data of ['data', 'data/distributed/runner']) lendPackages(place ?? '', join(system.folder, data));
    },
    ask: async ({ client }: RunningSystem): Promise<string> => {
      const title = 'Refactor the search: its performance, its architecture, and the migration across all callers';
      return String((await deliver(client, labeledIssue(7, title))).body['taskId']);
    },
    agentStarts: (): number => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n').length : 0),
    /** The writer answers nothing until this is over. */
    holdWriter: (until: Promise<unknown>): void => void (hold = until),
    /** SIGKILL to OpenEvolve itself. @returns how many processes that were */
    killOpenEvolve: async (system: RunningSystem): Promise<number> => {
      const found = processesOf(system.folder).filter(({ command }) => command.includes('openevolve'));
      await killAndWait(found.map(({ pid }) => pid));
      letEvolve();
      return found.length;
    },
    /** A person presses the button. */
    merge: (number: number): Promise<number> => github.fake.mergeByPerson(REPOSITORY, number),
    dispose: async (): Promise<void> => {
      await Promise.all([github.fake.close(), writer.stop(), evolver.stop()]);
      await removeFolder(folder);
    },
  };
}
