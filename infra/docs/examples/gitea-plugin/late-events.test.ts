import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plugin, PluginParts, PluginTask, PluginTools } from '@workledger/shared/plugins/plugin.ts';
import { startFakeGitea, type FakeGitea } from '../../../testing/gitea/fake-gitea.ts';

const [PLACE, TASK, RUN] = ['acme/shop', '019b0000-0000-7000-8000-000000000001', 'run-1'];
const { default: createPlugin } = (await import(new URL('plugin.js', import.meta.url).href)) as { default: Plugin };

let gitea: FakeGitea;
let parts: PluginParts;
/** As the log has it now. */
let now: Pick<PluginTask, 'status' | 'claimId'>;

beforeEach(async () => {
  gitea = await startFakeGitea({ origins: { [PLACE]: import.meta.dirname }, token: 'a token' });
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  parts = await createPlugin({ configuration: { url: gitea.url }, secrets: { token: ['a token'] }, logger });
});
afterEach(() => gitea.close());

const tools: PluginTools = {
  signal: new AbortController().signal,
  task: () =>
    Promise.resolve({
      ...{ title: 'Greet', repository: 'shop', link: null, ...now },
      source: { kind: 'gitea', reference: `${PLACE}#2`, url: null },
    }),
  repository: () => ({ baseBranch: 'trunk', named: PLACE }),
  send: async (_, { method, path, headers = {}, body }) => {
    const url = `${gitea.url}api/v1${path}`;
    const answer = await fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const { status, headers: told } = answer;
    return { status, headers: Object.fromEntries(told), body: Buffer.from(await answer.arrayBuffer()) };
  },
};

/** Hands an event to the handler, which calls the components of the plugin itself. */
async function hear(type: string, revision: number, data: object): Promise<void> {
  const about = { id: `event-${revision}`, recordedAt: new Date().toISOString(), correlationId: 'a correlation' };
  await parts.handlers?.['tell-issue']?.handle({ type, stream: `task-${TASK}`, revision, data, ...about } as never, {
    ...tools,
    call: async (name, request) => parts.components?.[name]?.perform(request, { ...tools, key: `${revision}/${name}` }),
  });
}

const mark = (run: string): string => `<!-- workledger ${TASK} ${run} -->`;
const offered = (run: string) =>
  gitea.addPull(PLACE, { title: 'Greet', body: `Task\n\n${mark(run)}`, head: `workledger/${TASK}`, base: 'trunk' });
const changes = (): string[] => gitea.calls.flatMap(({ call }) => (call.startsWith('GET') ? [] : [call]));

test('an event that comes after later ones of its task writes nothing over what they said', async () => {
  now = { status: 'cancelled', claimId: null };
  await hear('TaskCancelled', 7, { reason: 'nobody wants it' });
  await hear('TaskClaimed', 3, {});
  expect(gitea.comments(PLACE, 2)).toEqual([`Cancelled: nobody wants it\n\n${mark('7')}`]);
  await hear('TaskCancelled', 7, { reason: 'nobody wants it' });
  expect(changes()).toEqual([`POST /repos/${PLACE}/issues/2/comments`]);
});

test('an approval that was asked for before the task was cancelled opens no pull request', async () => {
  now = { status: 'cancelled', claimId: null };
  await hear('TaskApprovalAsked', 5, { claimId: RUN });
  expect(gitea.pulls(PLACE)).toEqual([]);
  expect(gitea.count(`POST /repos/${PLACE}/pulls`)).toBe(0);
});

test('a failure that was followed by a retry does not close what the retry opened', async () => {
  now = { status: 'validation', claimId: 'run-2' };
  offered('run-2');
  await hear('TaskFailed', 5, { failure: { reason: 'the tests failed' } });
  expect(gitea.pulls(PLACE)).toMatchObject([{ state: 'open' }]);
});

test('what was opened for a task that was cancelled meanwhile is closed at once', async () => {
  offered(RUN);
  now = { status: 'validation', claimId: RUN };
  const heard = hear('TaskApprovalAsked', 5, { claimId: RUN });
  now = { status: 'cancelled', claimId: null };
  await heard;
  expect(gitea.pulls(PLACE)).toMatchObject([
    { state: 'closed', body: expect.stringMatching(/^The task is cancelled/) },
  ]);
});

test('what a person closed is not opened again by the same run, and their own pull request is never closed', async () => {
  Object.assign(offered(RUN), { state: 'closed' });
  now = { status: 'complete', claimId: null };
  await hear('TaskCompleted', 6, {
    claimId: RUN,
    result: { merged: false, branch: `workledger/${TASK}`, diffStat: null },
  });
  gitea.addPull(PLACE, { title: 'Mine', body: '', head: `workledger/${TASK}`, base: 'trunk' });
  await hear('TaskCompleted', 8, {
    claimId: RUN,
    result: { merged: true, branch: `workledger/${TASK}`, diffStat: null },
  });
  expect(gitea.pulls(PLACE)).toMatchObject([{ state: 'closed' }, { state: 'open', title: 'Mine' }]);
  expect(changes().filter((call) => call.includes('/pulls'))).toEqual([]);
});
