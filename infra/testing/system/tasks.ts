import type { Client } from '@workledger/shared/client/client.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { until } from '../processes/until.ts';

/** What tests read of a task. */
export type Task = {
  readonly id: string;
  readonly state: 'pending' | 'in-progress' | 'validation' | 'complete' | 'failed' | 'cancelled';
  readonly claimId: string | null;
  readonly failure: Failure | null;
  readonly result: {
    readonly commit: string | null;
    readonly branch: string | null;
    readonly merged: boolean;
    readonly diffStat: { readonly files: number } | null;
  } | null;
  readonly pipelines: readonly { readonly id: string }[];
  readonly validations: readonly { readonly id: string; readonly state: string }[];
  readonly history: readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[];
};

export type NewTask = {
  readonly title: string;
  readonly description?: string;
  readonly capabilities?: readonly string[];
};

/** Creates a task for a repository. @returns its id */
export const createTask = async (client: Client, repository: string, task: NewTask): Promise<string> =>
  (await client.expect2xx('POST', '/tasks', { body: { capabilities: ['code'], ...task, repository } })).id;

/**
 * Waits until a task is as wanted; one that has just been made may not be visible yet.
 * @param token that of a command, which must have had its effect @throws Error when the task ended otherwise
 */
export async function taskWhen(
  client: Client,
  id: string,
  wanted: (task: Task) => boolean,
  token?: string,
): Promise<Task> {
  return until(
    `task ${id} to be as wanted`,
    async () => {
      const task = await client.find<Task>(`/tasks/${id}`, token === undefined ? {} : { token });
      if (task !== null && wanted(task)) return task;
      if (task !== null && isFinal(task)) throw new Error(`the task ended otherwise: ${JSON.stringify(task)}`);
      return null;
    },
    Infinity,
  );
}

const isFinal = ({ state }: Task): boolean => ['complete', 'failed', 'cancelled'].includes(state);

/** Waits until a task is complete, failed or cancelled. */
export const finalTask = (client: Client, id: string, token?: string): Promise<Task> =>
  taskWhen(client, id, isFinal, token);

/** Waits until no agent is busy, or not this one: the release comes just after the end of the task. */
export const agentsFreed = (client: Client, only?: string): Promise<true> =>
  until(
    'agents to be freed',
    async () => {
      for await (const { id, status } of client.list<{ id: string; status: string }>('/agents'))
        if (status === 'busy' && (only === undefined || id === only)) return false;
      return true;
    },
    10,
  );
