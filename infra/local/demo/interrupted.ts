import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { TaskView } from './client.ts';
import { GITHUB_OWNER } from './configuration.ts';

/**
 * Of unfinished tasks those that the demo left and that its agents can finish. The data folder may be shared with `npm start`:
 * what else waits there is its owner's.
 */
export const interruptedTasks = (
  tasks: readonly TaskView[],
  { agents }: Pick<Configuration, 'agents'>,
): readonly TaskView[] =>
  tasks.filter(
    ({ sourceReference, capabilities }) =>
      sourceReference?.startsWith(`${GITHUB_OWNER}/`) === true &&
      agents.some((agent) => capabilities.every((wanted) => agent.capabilities.includes(wanted))),
  );
