import type { CommandInput, CommandTypeOf } from '@workledger/shared/commands/catalogue.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent, SagaName } from '@workledger/shared/contexts/saga/events.ts';
import type { ArtefactReference, Failure, Fault } from '@workledger/shared/contexts/values.ts';

/** What a saga asks for. Timers are relative here; the engine records the moment they are due. */
export type EffectRequest =
  | {
      readonly kind: 'command';
      readonly key: string;
      readonly type: CommandTypeOf<'saga'>;
      readonly target: string;
      readonly data: unknown;
    }
  | {
      readonly kind: 'call';
      readonly key: string;
      readonly component: string;
      readonly request: unknown;
      readonly timeoutSeconds: number;
      /** Where it fails it has no result, and is parked until somebody asks for it once more. */
      readonly parksFailure?: true;
    }
  | { readonly kind: 'timer'; readonly key: string; readonly afterSeconds: number };

/** How an effect stands. `cancelled`: it may still be running; `stopped`: it is not. */
export type EffectStatus =
  | { readonly state: 'requested' | 'cancelled' | 'stopped'; readonly kind: EffectRequest['kind'] }
  | { readonly state: 'succeeded'; readonly kind: EffectRequest['kind']; readonly result: unknown }
  | {
      readonly state: 'failed';
      readonly kind: EffectRequest['kind'];
      readonly failure: Failure;
      readonly retryable: boolean;
      readonly costUsd: number | null;
      /** What an agent was asked; null: none ran, or nobody told. */
      readonly prompt: ArtefactReference | null;
      /** null: a command that was refused, or not recorded yet. */
      readonly fault: Fault | null;
      /** ISO 8601: when a limit ends by itself. */
      readonly until: string | null;
    };

export type Effects = ReadonlyMap<string, EffectStatus>;

type StepChanged = Extract<SagaEvent, { type: 'SagaStepChanged' }>;
type Ended = Extract<SagaEvent, { type: 'SagaEnded' }>;

/** What a reaction may decide: each becomes an event of the saga's own stream. */
export type Decision =
  | { readonly decide: 'request'; readonly effect: EffectRequest }
  | { readonly decide: 'cancel'; readonly key: string }
  | { readonly decide: 'record'; readonly event: StepChanged | Ended };

/**
 * A long-running process, all pure: `correlate` names the instance that an event concerns (by its type first: data that is not
 * looked at need not be readable), `evolve` folds the instance's own stream, `react` says what follows from the newest event in it.
 * Replaying calls `evolve` only. What `evolve` or `react` throws lets this instance stand still until somebody mends it.
 */
export type Saga<State = unknown> = {
  /** Its streams are of type `saga-<name>`. */
  readonly name: SagaName;
  readonly topics: readonly Context[];
  readonly correlate: (event: RecordedEvent) => string | null;
  readonly initial: State;
  readonly evolve: (state: State, event: SagaEvent) => State;
  readonly react: (state: State, event: SagaEvent, effects: Effects, now: Date) => readonly Decision[];
};

/** What a saga was given, as its own union of events has it: the catalogue has validated it when it was written. */
export const inputOf = <Input>(event: Extract<SagaEvent, { type: 'SagaInputReceived' }>): Input =>
  event.data as unknown as Input;

/** A saga as the engine sees it: only the saga itself knows its state. */
export const anySaga = <State>(saga: Saga<State>): Saga => saga as unknown as Saga;

export const request = (effect: EffectRequest): Decision => ({ decide: 'request', effect });
export const cancel = (key: string): Decision => ({ decide: 'cancel', key });

/** The command effect with this key. @param type one that is declared as sent by sagas */
export const command = <Type extends CommandTypeOf<'saga'>>(
  key: string,
  type: Type,
  target: string,
  data: CommandInput<Type>,
): EffectRequest => ({
  kind: 'command',
  key,
  type,
  target,
  data,
});

/** The timer with this key. */
export const timer = (key: string, afterSeconds: number): EffectRequest => ({ kind: 'timer', key, afterSeconds });
