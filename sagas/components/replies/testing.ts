import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { startFakeLinear } from '@workledger/infra/testing/linear/fake-linear.ts';
import { startFakeSlack } from '@workledger/infra/testing/slack/fake-slack.ts';
import { onTestFinished } from 'vitest';
import type { Component } from '../../engine/component.ts';
import { createComponents } from '../catalogue.ts';
import type { AskedQuestion } from '../environment.ts';
import { openLinear } from '../linear/linear.ts';
import { openSlack } from '../slack/slack.ts';
import type { ReplyRequest, ReplyResult } from './reply.ts';

/** No pauses: what they are for is tested where they are. */
const QUICK = { everyMilliseconds: 0, changeEveryMilliseconds: 0, backOffMs: { first: 1, most: 5 } };

/** A Slack and a Linear of the test's own, and the components that speak to them. */
export async function createReplyWorld(places: { readonly slack: string; readonly linear: string }) {
  const [slack, linear] = [await startFakeSlack(), await startFakeLinear()];
  const folder = await mkdtemp(join(tmpdir(), 'workledger-replies-'));
  onTestFinished(async () => {
    await Promise.all([slack.close(), linear.close()]);
    await rm(folder, { recursive: true });
  });
  await writeFile(join(folder, 'slack'), slack.token);
  await writeFile(join(folder, 'linear'), linear.token);
  const configuration = configurationSchema.parse({
    slack: { url: slack.url, token: { file: 'slack' }, reactions: { started: 'eyes', done: 'tada' } },
    linear: {
      ...{ url: linear.url, token: { file: 'linear' } },
      states: { started: 'In Progress', review: 'In Review', done: 'Done', failed: 'Todo' },
    },
    outbound: { privateHosts: [slack.host, linear.host] },
    publicUrl: 'https://ledger.example.org',
    repositories: [{ name: 'sample', url: '/nowhere', test: ['true'] }],
  });
  const run = { taskId: newId(), repository: 'sample' };
  const task = { title: 'Fix <add>', description: 'It subtracts.', words: null };
  const asked: AskedQuestion = {
    ...{ text: 'Which way, @all?\n<!channel>', choices: ['left', 'right'], approval: null, taskId: run.taskId },
  };
  const questions = new Map<string, AskedQuestion>();
  const start = async (isOn = true) =>
    createComponents({
      ...{ configuration, dataFolder: join(folder, 'data'), logger: captureLog().logger },
      artefacts: { put: () => Promise.reject(new Error('keeps nothing')), get: () => Promise.resolve(null) },
      readTask: () => Promise.resolve(task),
      readQuestion: (id) => Promise.resolve(questions.get(id) ?? null),
      slack: isOn ? await openSlack(configuration, folder, QUICK) : null,
      linear: isOn ? await openLinear(configuration, folder, QUICK) : null,
    });
  let components = await start();
  const tell = (kind: 'slack' | 'linear', change: Partial<ReplyRequest> = {}): Promise<ReplyResult> => {
    const component = components.find(({ name }) => name === `${kind}.tell`) as Component<object, ReplyResult>;
    const request: ReplyRequest = {
      ...{ ...run, runId: run.taskId, place: places[kind], about: 'task', known: null, to: null },
      ...{ text: 'An agent works on it.', questionId: null, isOpen: false, stage: 'started', state: null },
      ...change,
    };
    return component.perform(request, { key: 'saga-1/tell/1', signal: new AbortController().signal });
  };
  return {
    ...{ slack, linear, tell, asked, questions, run },
    /** As after the process died: nothing is known any more. */
    restart: async (isOn = true): Promise<void> => {
      components = await start(isOn);
    },
  };
}
