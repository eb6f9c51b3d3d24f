import type { DemoClient } from './client.ts';
import { interruptedTasks } from './interrupted.ts';
import { untilFinal } from './until-final.ts';

/** Work that an earlier run was interrupted in goes on by itself: waits until it is finished. */
export async function finishInterrupted(client: DemoClient, say: (text: string) => void): Promise<void> {
  const unfinished = interruptedTasks(await client.unfinishedTasks());
  for (const { id, title } of unfinished) {
    say(`First the task that was interrupted: "${title}"`);
    const task = await untilFinal(client, id);
    say(`The interrupted task is ${task.state}.\n`);
  }
}
