import type { Delivery } from './github-delivery.ts';

/** What the demo reads of a task. */
export type TaskView = {
  readonly id: string;
  readonly title: string;
  readonly state: 'pending' | 'in-progress' | 'validation' | 'complete' | 'failed' | 'cancelled';
  readonly result: { readonly commit: string | null; readonly branch: string | null; readonly merged: boolean } | null;
  readonly failure: { readonly step: string; readonly exitCode: number | null } | null;
};

export type Client = {
  deliver(delivery: Delivery): Promise<{ readonly taskId: string | null; readonly reason: string | null }>;
  /** null while nothing is known of it yet. */
  task(id: string): Promise<TaskView | null>;
  unfinishedTasks(): Promise<readonly TaskView[]>;
  agents(): Promise<readonly { readonly name: string; readonly status: string }[]>;
};

/** Talks to Workledger over HTTP, as anybody would. */
export function createClient(url: string, key: string): Client {
  const headers = { Authorization: `Bearer ${key}` };

  async function get<Result>(path: string): Promise<Result | null> {
    const response = await fetch(`${url}/api/v1${path}`, { headers });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Result;
  }

  const list = async <Item>(path: string): Promise<readonly Item[]> =>
    (await get<{ items: readonly Item[] }>(path))?.items ?? [];

  return {
    deliver: async (delivery) => {
      const response = await fetch(`${url}/api/v1/webhooks/github`, { method: 'POST', ...delivery });
      if (!response.ok) throw new Error(`webhook: ${response.status} ${await response.text()}`);
      return (await response.json()) as { taskId: string | null; reason: string | null };
    },
    task: (id) => get<TaskView>(`/tasks/${id}`),
    unfinishedTasks: async () => {
      const lists = await Promise.all(
        ['pending', 'in-progress', 'validation'].map((state) => list<TaskView>(`/tasks?status=${state}`)),
      );
      return lists.flat();
    },
    agents: () => list('/agents'),
  };
}
