import { createClient, NotAccepted } from '@workledger/shared/client/client.ts';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
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

const PATIENCE_MILLISECONDS = 30_000;

/** A store may be out of reach for a moment: the answer is 503 then, and asks to come again. A delivery has an id, so it may, too. */
async function whileUnavailable<Result>(ask: () => Promise<Result>): Promise<Result> {
  let last: unknown;
  const tried = await keepTrying(async () => ({ result: await ask() }), {
    signal: timeoutSignal(PATIENCE_MILLISECONDS),
    shortest: 100,
    longest: 1_000,
    retryWhile: (error) => error instanceof NotAccepted && error.answer.status === 503,
    onFailed: (error) => (last = error),
  });
  if (tried === null) throw last;
  return tried.result;
}

/** What the demo asks Workledger, over HTTP as anybody would. */
export function createDemoClient({ commands, queries }: Addresses, key: string): DemoClient {
  const client = createClient({ url: (path) => (path.startsWith('/webhooks/') ? commands : queries), key: () => key });
  const all = <Item>(path: string): Promise<readonly Item[]> =>
    whileUnavailable(async () => {
      const items: Item[] = [];
      for await (const item of client.list<Item>(path)) items.push(item);
      return items;
    });
  return {
    deliver: async (delivery) =>
      (await whileUnavailable(() => client.expect2xx('POST', '/webhooks/github', { ...delivery, key: null })))
        .body as Receipt,
    task: (id) => whileUnavailable(() => client.find<TaskView>(`/tasks/${id}`)),
    unfinishedTasks: () => all('/tasks?status=pending,in-progress,validation&source=github&limit=100'),
    githubTasks: () => all('/tasks?source=github&limit=100'),
    agents: () => all('/agents?limit=100'),
    eventsOf: async (stream) => (await whileUnavailable(() => client.stream(stream))).map(recordedEvent),
    eventsAfter: async (position) => {
      const path = `/events?after=${position}&limit=500`;
      const page = await whileUnavailable(() => client.find<{ readonly items: readonly EventJson[] }>(path));
      return (page?.items ?? []).map(recordedEvent);
    },
  };
}

const recordedEvent = (event: EventJson): RecordedEvent => ({
  ...event,
  position: BigInt(event.position),
  recordedAt: new Date(event.recordedAt),
});
