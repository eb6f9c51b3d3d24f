import { finishInterrupted } from './finish-interrupted.ts';
import type { Receipt } from './client.ts';
import { SENDER } from './configuration.ts';
import { labeledIssueDelivery } from './github-delivery.ts';
import { judge } from './judge.ts';
import { sampleIssue } from './sample/issue.ts';
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
