import { setTimeout as pause } from 'node:timers/promises';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import type { Receipt, DemoClient, TaskView } from './client.ts';
import { SENDER, demoAgents, GITHUB_OWNER } from './configuration.ts';
import { labeledIssueDelivery } from './github-delivery.ts';
import { judge } from './judge.ts';
import type { Stage } from './stage.ts';

export const say = (text: string): void => void process.stdout.write(`${harmless(text)}\n`);

/**
 * Delivers the issue, waits for the end of the task, and looks whether all that was shown is true.
 * @param onDelivered told of the receipt as soon as it is there
 */
export async function show(stage: Stage, onDelivered: (receipt: Receipt) => void): Promise<boolean> {
  const { client, sample, issueNumber, secret } = stage;
  await finishInterrupted(client);
  const issue = { ...sampleIssue, number: issueNumber };
  say(`${sample.github}#${issueNumber}: "${issue.title}" gets the label workledger`);
  const receipt = await client.deliver(labeledIssueDelivery(sample.github, issue, SENDER, secret));
  if (receipt.taskId === undefined) throw new Error(`the delivery was ignored: ${receipt.reason}`);
  onDelivered(receipt);

  const task = await untilFinal(client, receipt.taskId);
  const verdict = await judge({ client, task, failing: sample.failing, origin: sample.origin });
  say(verdict.text);
  say(whereToLook(task, stage));
  return verdict.ok;
}

/** What a person would write on GitHub about the sample. */
const sampleIssue = {
  title: 'Find duplicates whatever the case of the address',
  body: [
    '`findDuplicates` takes `ann@example.org` and `ANN@Example.org` for two people. Mail servers do not care, and our address',
    'book should not either: addresses that differ only in upper and lower case are the same.',
    '',
    'The result should still tell each address as it is written first. There is a test for it, which fails:',
    '`upper and lower case make no difference`.',
    '',
    'While you are there: with 2,000 contacts the search is slow. `npm run bench` tells how slow.',
  ].join('\n'),
} as const;

const LOOK_MILLISECONDS = 200;
const FINAL: ReadonlySet<TaskView['state']> = new Set(['complete', 'failed', 'cancelled']);

/** Waits until the task is complete, failed or cancelled. */
async function untilFinal(client: DemoClient, taskId: string): Promise<TaskView> {
  for (;;) {
    const task = await client.task(taskId);
    if (task !== null && FINAL.has(task.state)) return task;
    await pause(LOOK_MILLISECONDS);
  }
}

/**
 * Of unfinished tasks those that the demo left and that its agents can finish. The data folder may be shared with `npm start`:
 * what else waits there is its owner's.
 */
export const interruptedTasks = (tasks: readonly TaskView[]): readonly TaskView[] =>
  tasks.filter(
    ({ sourceReference, capabilities }) =>
      sourceReference?.startsWith(`${GITHUB_OWNER}/`) === true &&
      demoAgents.some((agent) => capabilities.every((wanted) => agent.capabilities.includes(wanted))),
  );

/** Work that an earlier run was interrupted in goes on by itself: waits until it is finished. */
async function finishInterrupted(client: DemoClient): Promise<void> {
  const unfinished = interruptedTasks(await client.unfinishedTasks());
  for (const { id, title } of unfinished) {
    say(`First the task that was interrupted: "${title}"`);
    const task = await untilFinal(client, id);
    say(`The interrupted task is ${task.state}.\n`);
  }
}

/** Lines for a shell that show the diff and the audit trail; the curl lines answer while the system runs. */
export function whereToLook(
  task: Pick<TaskView, 'id'>,
  { sample, url, keyFile, startCommand }: Pick<Stage, 'sample' | 'url' | 'keyFile' | 'startCommand'>,
): string {
  const api = `${url}/api/v1`;
  const curl = `curl -H "Authorization: Bearer $(cat ${word(keyFile)})"`;
  return [
    '',
    'Where to look:',
    `  git -C ${word(sample.origin)} ${sample.failing ? 'branch --all' : 'log --patch main'}`,
    ...(startCommand === null ? [] : [`  ${startCommand}`]),
    `  ${curl} ${api}/tasks/${task.id}`,
    `  ${curl} "${api}/streams/task-${task.id}?format=ndjson"`,
    `  ${curl} "${api}/pipelines?taskId=${task.id}"`,
  ].join('\n');
}

/** One word for a shell, quoted where it must be. */
export const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
