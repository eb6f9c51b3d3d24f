import type { Receipt } from './client.ts';
import { SENDER } from './configuration.ts';
import { labeledIssueDelivery } from './github-delivery.ts';
import { finishInterrupted } from './interrupted.ts';
import { judge } from './judge.ts';
import type { Stage } from './stage.ts';
import { untilFinal } from './until-final.ts';
import { whereToLook } from './where-to-look.ts';

export const say = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * Delivers the issue, waits for the end of the task, and looks whether all that was shown is true.
 * @param onDelivered told of the receipt as soon as it is there
 */
export async function show(stage: Stage, onDelivered: (receipt: Receipt) => void): Promise<boolean> {
  const { client, sample, issueNumber, secret } = stage;
  await finishInterrupted(client, say);
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
