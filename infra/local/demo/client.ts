import { createClient } from '@workledger/shared/client/client.ts';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
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

export type Receipt = { readonly id: string; readonly taskId?: string; readonly reason?: string };

export type DemoClient = {
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

/** What the demo asks Workledger, over HTTP as anybody would. */
export function createDemoClient({ commands, queries }: Addresses, key: string): DemoClient {
  const client = createClient({ url: (path) => (path.startsWith('/webhooks/') ? commands : queries), key: () => key });
  const all = async <Item>(path: string): Promise<readonly Item[]> => {
    const items: Item[] = [];
    for await (const item of client.list<Item>(path)) items.push(item);
    return items;
  };
  return {
    deliver: async (delivery) =>
      (await client.expect2xx('POST', '/webhooks/github', { ...delivery, key: null })).body as Receipt,
    task: (id) => client.find<TaskView>(`/tasks/${id}`),
    unfinishedTasks: () => all('/tasks?status=pending,in-progress,validation&source=github&limit=100'),
    githubTasks: () => all('/tasks?source=github&limit=100'),
    agents: () => all('/agents?limit=100'),
    eventsOf: async (stream) => (await client.stream(stream)).map(recordedEvent),
    eventsAfter: async (position) => {
      const page = await client.find<{ readonly items: readonly EventJson[] }>(`/events?after=${position}&limit=500`);
      return (page?.items ?? []).map(recordedEvent);
    },
  };
}

const recordedEvent = (event: EventJson): RecordedEvent => ({
  ...event,
  position: BigInt(event.position),
  recordedAt: new Date(event.recordedAt),
});
