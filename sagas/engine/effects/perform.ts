import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { EventMetadata } from '@workledger/shared/events/recorded-event.ts';
import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { because, ComponentFailure, type Component } from '../component.ts';
import type { Trigger } from '../instance.ts';
import { reportNotes, type OnNote } from '../notes.ts';
import { jobKey } from './queue.ts';

export type Performing = {
  readonly commands: Commands;
  readonly components: ReadonlyMap<string, Component>;
  /** Told of each note that was taken. */
  readonly onNote?: OnNote | undefined;
};

type Origin = Pick<EventMetadata, 'correlationId' | 'traceparent'>;

/** The id under which an effect acts on the rest of the world, and under which its result is recorded. */
export const effectId = (stream: string, key: string): string => derivedId('effect', stream, key);

/**
 * Carries out one effect and answers the result to record. An error that is thrown is the infrastructure's: the job comes again.
 * @throws what the command port or a component throws beside a refusal or a ComponentFailure
 */
export async function perform(
  { commands, components, onNote }: Performing,
  stream: string,
  effect: Effect,
  origin: Origin,
  signal: AbortSignal,
): Promise<Trigger> {
  const succeeded = (result: unknown): Trigger => ({ type: 'SagaEffectSucceeded', data: { key: effect.key, result } });
  try {
    switch (effect.kind) {
      case 'timer':
        return succeeded({});
      case 'command':
        return succeeded(
          await commands.send(effect, {
            ...origin,
            commandId: effectId(stream, effect.key),
            actor: `saga:${stream}`,
            causationId: effectId(stream, effect.key),
          }),
        );
      case 'call': {
        const component = components.get(effect.component);
        if (component === undefined) throw unknownComponent(effect.component);
        const key = jobKey({ stream, key: effect.key });
        const limit = timeoutSignal(Math.max(1, effect.timeoutSeconds * 1000));
        const over = new AbortController();
        const ending = AbortSignal.any([signal, limit]);
        const sender = { ...origin, actor: `saga:${stream}`, causationId: effectId(stream, effect.key) };
        const note = reportNotes({ commands, onNote }, effect.request, sender, AbortSignal.any([ending, over.signal]));
        try {
          return succeeded(await component.perform(effect.request as never, { key, signal: ending, note }));
        } catch (error) {
          if (limit.aborted && !signal.aborted && !(error instanceof ComponentFailure))
            throw timedOut(effect.component, effect.timeoutSeconds);
          throw error;
        } finally {
          over.abort();
        }
      }
    }
  } catch (error) {
    const refused = refusal(effect.key, error);
    if (refused === null || signal.aborted) throw error;
    return { type: 'SagaEffectFailed', data: { key: effect.key, ...refused } };
  }
}

type Refusal = Omit<Extract<SagaEvent, { type: 'SagaEffectFailed' }>['data'], 'key'>;

function refusal(step: string, error: unknown): Refusal | null {
  if (error instanceof ComponentFailure) {
    const { failure, retryable, costUsd, prompt, fault, until, agent } = error;
    const known = { ...(until !== null && { until }), ...(agent !== null && { agent }) };
    return { failure, retryable, costUsd, prompt, fault, ...known };
  }
  if (error instanceof CommandRefused) {
    const failure = because(step, `${error.code}: ${error.message}`);
    return { failure, retryable: false, costUsd: null, prompt: null };
  }
  return null;
}

const unknownComponent = (name: string): ComponentFailure =>
  new ComponentFailure(because(name, `no component is called "${name}" here`), { retryable: false });

const timedOut = (name: string, seconds: number): ComponentFailure =>
  new ComponentFailure(because(name, `no answer within ${seconds} s`), { retryable: true });
