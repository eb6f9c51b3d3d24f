import type { EventJson } from '@workledger/shared/events/event-json.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Client } from '@workledger/shared/client/client.ts';
import { until } from '../processes/until.ts';

/** An event of a saga's stream as the API tells it. */
export type SagaRecord = Omit<EventJson, 'type' | 'data'> & SagaEvent;

/** The streams of all sagas of this type, by stream name. @param type such as `saga-code-evolution` */
export async function sagasOf(client: Client, type: string): Promise<ReadonlyMap<string, readonly SagaRecord[]>> {
  const streams = new Map<string, SagaRecord[]>();
  for (const event of await client.log()) {
    if (!event.stream.startsWith(`${type}-`)) continue;
    streams.set(event.stream, [...(streams.get(event.stream) ?? []), event as SagaRecord]);
  }
  return streams;
}

/** How often each effect was asked for, and how many results it has, by key. */
export function effectsOf(events: readonly SagaRecord[]): ReadonlyMap<string, { requested: number; results: number }> {
  const effects = new Map<string, { requested: number; results: number }>();
  const at = (key: string): { requested: number; results: number } => {
    const counts = effects.get(key) ?? { requested: 0, results: 0 };
    effects.set(key, counts);
    return counts;
  };
  for (const event of events) {
    if (event.type === 'SagaEffectRequested') at(event.data.effect.key).requested++;
    if (event.type === 'SagaEffectSucceeded' || event.type === 'SagaEffectFailed') at(event.data.key).results++;
  }
  return effects;
}

/** Whether a task is complete, failed or cancelled: then the type of its last event. */
export async function isFinal(client: Client, taskId: string): Promise<string | false> {
  const last = (await client.stream(`task-${taskId}`)).at(-1)?.type ?? '';
  return /^Task(Completed|Failed|Cancelled)$/.test(last) && last;
}

/** Waits until a task is complete, failed or cancelled. @returns the type of its last event */
export const untilFinal = (client: Client, taskId: string): Promise<string> =>
  until(`task ${taskId} to end`, () => isFinal(client, taskId));

/** Waits until a saga of this stream has said its last word. */
export const untilEnded = (client: Client, stream: string): Promise<unknown> =>
  until(`${stream} to end`, async () => (await client.stream(stream)).some(({ type }) => type === 'SagaEnded'));
