import type { Delivery } from './github-delivery.ts';

/** What the demo reads of a task. */
export type TaskView = {
  readonly id: string;
  readonly title: string;
  readonly state: 'pending' | 'in-progress' | 'validation' | 'complete' | 'failed' | 'cancelled';
  readonly sourceReference: string | null;
  readonly capabilities: readonly string[];
  readonly result: { readonly commit: string | null; readonly branch: string | null; readonly merged: boolean } | null;
  readonly failure: { readonly step: string; readonly exitCode: number | null } | null;
};

type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

export type Client = {
  deliver(delivery: Delivery): Promise<{ readonly taskId: string | null; readonly reason: string | null }>;
  /** null while nothing is known of it yet. */
  task(id: string): Promise<TaskView | null>;
  /** Those that came from GitHub. */
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

  async function list<Item>(path: string): Promise<readonly Item[]> {
    const all: Item[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page<Item> | null = await get<Page<Item>>(cursor === '' ? path : `${path}&cursor=${cursor}`);
      all.push(...(page?.items ?? []));
      cursor = page?.next ?? null;
    }
    return all;
  }

  return {
    deliver: async (delivery) => {
      const response = await fetch(`${url}/api/v1/webhooks/github`, { method: 'POST', ...delivery });
      if (!response.ok) throw new Error(`webhook: ${response.status} ${await response.text()}`);
      return (await response.json()) as { taskId: string | null; reason: string | null };
    },
    task: (id) => get<TaskView>(`/tasks/${id}`),
    unfinishedTasks: () => list('/tasks?status=pending,in-progress,validation&source=github&limit=100'),
    agents: () => list('/agents?limit=100'),
  };
}
