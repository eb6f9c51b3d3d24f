import type { SagaRecord } from '../../testing/system/saga.ts';

export type Timer = {
  readonly stream: string;
  readonly key: string;
  readonly requested: number;
  readonly dueAt: Date;
  /** When its results were recorded, by the log's clock. */
  readonly firedAt: readonly Date[];
};

/** Every timer that these sagas asked for, with its results. */
export const timersOf = (sagas: ReadonlyMap<string, readonly SagaRecord[]>): Timer[] =>
  [...sagas].flatMap(([stream, events]) => {
    const asked = events.flatMap((event) =>
      event.type === 'SagaEffectRequested' && event.data.effect.kind === 'timer' ? [event.data.effect] : [],
    );
    return [...new Map(asked.map((timer) => [timer.key, timer])).values()].map(({ key, dueAt }) => ({
      stream,
      key,
      requested: asked.filter((timer) => timer.key === key).length,
      dueAt: new Date(dueAt),
      firedAt: events
        .filter(({ type, data }) => type === 'SagaEffectSucceeded' && 'key' in data && data.key === key)
        .map(({ recordedAt }) => new Date(recordedAt)),
    }));
  });

/** What the clock brings, whatever a caller does: seconds after a reservation somebody looks whether a claim followed. */
export const ofTheClock = ({ data }: { readonly data: unknown }): boolean =>
  /"key":"(orphan|unclaimed)\//.test(JSON.stringify(data));
