import type { DemoClient, TaskView } from './client.ts';
import { demoAgents, GITHUB_OWNER } from './configuration.ts';
import { untilFinal } from './until-final.ts';

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
export async function finishInterrupted(client: DemoClient, say: (text: string) => void): Promise<void> {
  const unfinished = interruptedTasks(await client.unfinishedTasks());
  for (const { id, title } of unfinished) {
    say(`First the task that was interrupted: "${title}"`);
    const task = await untilFinal(client, id);
    say(`The interrupted task is ${task.state}.\n`);
  }
}
