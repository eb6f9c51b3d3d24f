import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
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

export type Receipt = {
  readonly id: string;
  readonly taskId?: string;
  readonly reason?: string;
};

export type Client = {
  deliver(delivery: Delivery): Promise<Receipt>;
  /** null while nothing is known of it yet. */
  task(id: string): Promise<TaskView | null>;
  /** Those that came from GitHub, finished or not. */
  githubTasks(): Promise<readonly TaskView[]>;
  /** Those that came from GitHub. */
  unfinishedTasks(): Promise<readonly TaskView[]>;
  agents(): Promise<readonly { readonly id: string; readonly name: string; readonly status: string }[]>;
  /** Events of one stream, in order. */
  eventsOf(stream: string): Promise<readonly RecordedEvent[]>;
  /** The next events of the whole log, in order; none when there are none yet. */
  eventsAfter(position: bigint): Promise<readonly RecordedEvent[]>;
};

/** Where Workledger listens: one address in front of everything, or that of each service. */
export type Addresses = { readonly commands: string; readonly queries: string };

/** Talks to Workledger over HTTP, as anybody would. */
export function createClient({ commands, queries }: Addresses, key: string): Client {
  const headers = { Authorization: `Bearer ${key}` };

  async function get<Result>(path: string): Promise<Result | null> {
    const response = await fetch(`${queries}/api/v1${path}`, { headers });
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
      const response = await fetch(`${commands}/api/v1/webhooks/github`, { method: 'POST', ...delivery });
      if (!response.ok) throw new Error(`webhook: ${response.status} ${await response.text()}`);
      return (await response.json()) as Receipt;
    },
    task: (id) => get<TaskView>(`/tasks/${id}`),
    unfinishedTasks: () => list('/tasks?status=pending,in-progress,validation&source=github&limit=100'),
    githubTasks: () => list('/tasks?source=github&limit=100'),
    agents: () => list('/agents?limit=100'),
    eventsOf: async (stream) => events(await get<Page<EventJson>>(`/streams/${stream}?limit=1000`)),
    eventsAfter: async (position) => events(await get<Page<EventJson>>(`/events?after=${position}&limit=500`)),
  };
}

type EventJson = Omit<RecordedEvent, 'position' | 'recordedAt'> & {
  readonly position: string;
  readonly recordedAt: string;
};

const events = (page: Page<EventJson> | null): readonly RecordedEvent[] =>
  (page?.items ?? []).map((event) => ({
    ...event,
    position: BigInt(event.position),
    recordedAt: new Date(event.recordedAt),
  }));
