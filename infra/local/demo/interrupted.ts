import type { TaskView } from './client.ts';
import { demoAgents, GITHUB_OWNER } from './configuration.ts';

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
