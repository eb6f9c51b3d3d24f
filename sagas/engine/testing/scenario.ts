import { commandTypes, declarationOf } from '@workledger/shared/commands/catalogue.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { ArtefactReference, Failure, Fault } from '@workledger/shared/contexts/values.ts';
import { derivedId, streamName } from '@workledger/shared/contexts/stream.ts';
import { because } from '../component.ts';
import { accept, fold, newInstance, type Trigger } from '../instance.ts';
import type { Saga } from '../saga.ts';

type Requested = Extract<SagaEvent, { type: 'SagaEffectRequested' }>['data']['effect'];

/** A saga under test: feed it inputs and results, look at what it asks for. */
export type Scenario<State> = {
  /** @param position in the log; default: behind all that came before */
  receives(streamType: string, id: string, type: string, data: unknown, position?: number): SagaEvent[];
  /** The same input as the one before, once more. */
  receivesAgain(): SagaEvent[];
  /** What an earlier version wrote to its stream: folded, and not reacted to. */
  wrote(...events: readonly SagaEvent[]): void;
  succeeds(key: string, result?: unknown): SagaEvent[];
  fails(
    key: string,
    retryable?: boolean,
    reason?: string,
    exitCode?: number | null,
    more?: {
      readonly costUsd?: number;
      readonly fault?: Fault;
      readonly until?: string;
      readonly prompt?: ArtefactReference;
    },
  ): SagaEvent[];
  /** Effects that were asked for and have no result. */
  open(): string[];
  /** Of all effects that were asked for. */
  keys(): string[];
  requested(key: string): Requested | undefined;
  steps(): string[];
  ended(): string | null;
  state(): State;
};

/** Runs a saga on its own events, without any I/O. */
export function scenario<State>(saga: Saga<State>): Scenario<State> {
  const instance = newInstance(saga);
  const history: SagaEvent[] = [];
  const revisions = new Map<string, number>();
  let last: Trigger | null = null;
  let newest = 0;

  function trigger(event: Trigger): SagaEvent[] {
    last = event;
    const events = accept(saga, instance, event, new Date('2026-01-01T00:00:00Z'));
    for (const each of events) fold(saga, instance, each);
    for (const { type, data } of events) if (type === 'SagaEffectRequested') expectKnownFields(data.effect);
    history.push(...events);
    return events;
  }

  return {
    receives: (streamType, id, type, data, position = ++newest) => {
      const stream = streamName(streamType, id);
      const revision = (revisions.get(stream) ?? -1) + 1;
      revisions.set(stream, revision);
      const source = { stream, revision, eventId: derivedId(stream, String(revision)), position: String(position) };
      return trigger({ type: 'SagaInputReceived', data: { source, type, data } });
    },
    receivesAgain: () => (last === null ? [] : trigger(last)),
    wrote: (...events) => {
      for (const each of events) fold(saga, instance, each);
      history.push(...events);
    },
    succeeds: (key, result = {}) => trigger({ type: 'SagaEffectSucceeded', data: { key, result } }),
    fails: (key, retryable = false, reason = 'it failed', exitCode = 1, more = {}) =>
      trigger({
        type: 'SagaEffectFailed',
        data: { key, retryable, failure: failureOf(key, reason, exitCode), costUsd: null, prompt: null, ...more },
      }),
    keys: () => [...instance.effects.keys()],
    open: () => [...instance.effects].filter(([, { state }]) => state === 'requested').map(([key]) => key),
    requested: (key) =>
      history
        .flatMap(({ type, data }) => (type === 'SagaEffectRequested' ? [data.effect] : []))
        .findLast((effect) => effect.key === key),
    steps: () =>
      history.flatMap((event) => (event.type === 'SagaStepChanged' ? [`${event.data.step} ${event.data.state}`] : [])),
    ended: () => history.flatMap((event) => (event.type === 'SagaEnded' ? [event.data.outcome] : [])).at(-1) ?? null,
    state: () => instance.state,
  };
}

const failureOf = (step: string, reason: string, exitCode: number | null): Failure => ({
  ...because(step, reason),
  exitCode,
});

/** A command with more than its fields is refused, which the type of what was spread into it does not tell. */
function expectKnownFields(effect: Requested): void {
  const command = effect.kind === 'command' && commandTypes.find((type) => type === effect.type);
  if (!command || effect.kind !== 'command') return;
  const { error } = declarationOf(command).data.safeParse(effect.data);
  for (const { code, message } of error?.issues ?? [])
    if (code === 'unrecognized_keys') throw new Error(`${effect.key}: ${effect.type}: ${message}`);
}
