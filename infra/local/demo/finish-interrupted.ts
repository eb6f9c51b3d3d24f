import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { Client } from './client.ts';
import { interruptedTasks } from './interrupted.ts';
import { untilFinal } from './until-final.ts';

/** Work that an earlier run was interrupted in goes on by itself: waits until it is finished. */
export async function finishInterrupted(
  client: Client,
  configuration: Configuration,
  say: (text: string) => void,
): Promise<void> {
  const unfinished = interruptedTasks(await client.unfinishedTasks(), configuration);
  for (const { id, title } of unfinished) {
    say(`First the task that was interrupted: "${title}"`);
    const task = await untilFinal(client, id);
    say(`The interrupted task is ${task.state}.\n`);
  }
}
