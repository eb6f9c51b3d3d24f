import { setTimeout as pause } from 'node:timers/promises';
import type { DemoClient, TaskView } from './client.ts';

const LOOK_MILLISECONDS = 200;
const FINAL: ReadonlySet<TaskView['state']> = new Set(['complete', 'failed', 'cancelled']);

/** Waits until the task is complete, failed or cancelled. */
export async function untilFinal(client: DemoClient, taskId: string): Promise<TaskView> {
  for (;;) {
    const task = await client.task(taskId);
    if (task !== null && FINAL.has(task.state)) return task;
    await pause(LOOK_MILLISECONDS);
  }
}
