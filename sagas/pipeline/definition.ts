import type { CommandInput, CommandTypeOf } from '@workledger/shared/commands/catalogue.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import type { Effect, SagaEvent, SagaName } from '@workledger/shared/contexts/saga/events.ts';
import type { ArtefactReference, Failure, Fault } from '@workledger/shared/contexts/values.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { ComponentName, RequestOf, ResultOf } from '../components/catalogue.ts';

/** Where a pipeline stands; folded from the saga's stream. */
export type PipelineState<Facts> = {
  readonly facts: Facts;
  /** The step that is under way. */
  readonly current: {
    readonly step: string;
    readonly round: number;
    readonly attempt: number;
    readonly resting: boolean;
  } | null;
  /** How often each step was entered. */
  readonly rounds: Readonly<Record<string, number>>;
  /** Steps that succeeded and would have to be undone, in the order of their success. */
  readonly succeeded: readonly string[];
  /** Set when the pipeline is on its way to an end other than success. */
  readonly ending: Ending | null;
  readonly ended: boolean;
};

export type Ending = {
  readonly outcome: 'failed' | 'cancelled';
  readonly failure: Failure | null;
  /** What is still to be undone, next first; the step under way when it ended is marked. */
  readonly undo: readonly { readonly step: string; readonly abandoned: boolean }[];
};

/** Detail of the step change that ends a pipeline early. */
export type EndDetail = Pick<Ending, 'failure' | 'undo'>;

/** What a step says of itself whenever something happened: it waits, it is done, it failed, or another step is due. */
export type Outcome =
  | { readonly is: 'waiting' }
  | { readonly is: 'done'; readonly detail: unknown }
  | { readonly is: 'failed'; readonly failure: Failure; readonly retryable: boolean; readonly fault: Fault | null }
  | { readonly is: 'go-to'; readonly step: string; readonly detail: unknown };

export const waiting: Outcome = { is: 'waiting' };
export const done = (detail: unknown = {}): Outcome => ({ is: 'done', detail });
/** @param fault the origin's passing ones are tried again for a day */
export const failed = (failure: Failure, retryable = false, fault: Fault | null = null): Outcome => ({
  ...{ is: 'failed', failure, retryable, fault },
});
/** Ends this step and enters another one, in a new round of it. */
export const goTo = (step: string, detail: unknown): Outcome => ({ is: 'go-to', step, detail });

/** How an effect ended, where the step itself deals with a failure. */
export type Settled<Result> =
  | { readonly result: Result; readonly failure?: undefined }
  | {
      readonly failure: Failure;
      readonly retryable: boolean;
      readonly costUsd: number | null;
      readonly prompt: ArtefactReference | null;
      readonly fault: Fault | null;
      readonly until: string | null;
      readonly result?: undefined;
    };

/**
 * The effects of one attempt of a step. Each is asked for once and answers null until its result stands, so a step reads as
 * the sequence of what it does: it is called again, from its start, whenever a result came in.
 */
export type Effector = {
  readonly round: number;
  readonly attempt: number;
  readonly now: Date;
  /** Sends a command. A refusal fails the step. @param type one that is declared as sent by sagas */
  command<Type extends CommandTypeOf<'saga'>>(
    name: string,
    type: Type,
    target: string,
    data: CommandInput<Type>,
  ): CommandResult | null;
  /** Sends a command whose refusal is the step's to deal with. */
  tryCommand<Type extends CommandTypeOf<'saga'>>(
    name: string,
    type: Type,
    target: string,
    data: CommandInput<Type>,
  ): Settled<CommandResult> | null;
  /** Calls a component of `sagas/components/catalogue.ts`. A failure fails the step; it is tried again where that can help. */
  call<Name extends ComponentName>(
    name: string,
    component: Name,
    request: RequestOf<Name>,
    timeoutSeconds?: number,
  ): ResultOf<Name> | null;
  tryCall<Name extends ComponentName>(
    name: string,
    component: Name,
    request: RequestOf<Name>,
    timeoutSeconds?: number,
  ): Settled<ResultOf<Name>> | null;
  /** True as soon as so many seconds are over. */
  pause(name: string, seconds: number): boolean;
};

export type CommandResult = {
  readonly revision: number;
  readonly token: string;
  readonly details: Record<string, unknown>;
};

export type Retry = {
  /** In all, the first one included. */
  readonly attempts: number;
  /** Seconds before the attempt of this number (from 2). */
  readonly delaySeconds: (attempt: number) => number;
};

/** Which of the effects of one name: `look-3` is number 3, `look` number 1. On the way back there are no rounds: 1. */
export type EffectPlace = { readonly round: number; readonly attempt: number; readonly number: number };

type EffectFailed = Extract<SagaEvent, { type: 'SagaEffectFailed' }>['data'];

/** What a run learns from the effects of one name: as one is asked for, is answered, fails, or is asked to stop. Folded from the log. */
export type Lesson<Facts> = {
  readonly asked?: (facts: Facts, effect: Effect, at: EffectPlace) => Facts;
  readonly answered?: (facts: Facts, result: unknown, at: EffectPlace) => Facts;
  readonly failed?: (facts: Facts, failed: EffectFailed, at: EffectPlace) => Facts;
  readonly stopped?: (facts: Facts, at: EffectPlace) => Facts;
};

export type Lessons<Facts> = Readonly<Record<string, Lesson<Facts>>>;

export type Step<Facts> = {
  readonly name: string;
  /** False: the step is skipped. */
  readonly when?: (facts: Facts) => boolean;
  readonly run: (facts: Facts, on: Effector) => Outcome;
  /** Undoes the step after it succeeded. Must be safe to repeat. */
  readonly compensate?: (facts: Facts, on: Effector) => Outcome;
  /** Cleans up after a step that was under way when the pipeline ended. Default: `compensate`. */
  readonly abandon?: (facts: Facts, on: Effector) => Outcome;
  readonly retry?: Retry;
  /** Seconds that a call of this step may take unless it says otherwise. */
  readonly timeoutSeconds?: number;
  /** What is learned from its effects, beside what it says as it ends: by the names that it asks for them under, on the way back by `undo/` and those. */
  readonly learns?: Lessons<Facts>;
};

/** Doubles from `first` seconds, up to `most`. */
export const doubling =
  (first: number, most: number) =>
  (attempt: number): number =>
    Math.min(most, first * 2 ** (attempt - 2));

/** What an origin that is away for a while costs: nothing but time. From seconds to ten minutes, a day in all. */
const ORIGIN_LONGEST_SECONDS = 600;
const ORIGIN_ATTEMPTS = 153;

/** What this machine or a server of ours could not do is no fault of the work: it has ten minutes to pass. */
export const COMPONENT_ATTEMPTS = 9;
export const componentDelaySeconds = doubling(4, 120);

/** How a step is tried again after such a failure; a step without retries has none here either. */
export function retryAfter(retry: Retry | undefined, fault: Fault | null): Retry | undefined {
  if (retry === undefined) return undefined;
  if (fault === 'origin') return { attempts: ORIGIN_ATTEMPTS, delaySeconds: doubling(2, ORIGIN_LONGEST_SECONDS) };
  if (fault === 'component')
    return { attempts: Math.max(retry.attempts, COMPONENT_ATTEMPTS), delaySeconds: componentDelaySeconds };
  return retry;
}

/** The delay with up to a quarter more or less, so that what failed together does not come again together. */
export const jittered = (seconds: number, now: Date): number => seconds * (0.75 + now.getMilliseconds() / 2_000);

/** A saga that reads as a list of steps. */
export type PipelineDefinition<Facts> = {
  readonly name: SagaName;
  readonly topics: readonly Context[];
  readonly correlate: (event: RecordedEvent) => string | null;
  /** What the steps know, before anything happened. */
  readonly facts: Facts;
  /** Folds inputs and the details of finished steps into the facts; what one step learns from its effects, that step says. */
  readonly absorb: (facts: Facts, event: SagaEvent) => Facts;
  /** True as soon as the first step may begin. */
  readonly ready: (facts: Facts) => boolean;
  /** A reason to end at once, undoing what was done; null: go on. */
  readonly stopped: (facts: Facts) => string | null;
  /** What was to be undone has had its effect all the same: the run is completed. Default: never. */
  readonly achieved?: (facts: Facts) => boolean;
  readonly steps: readonly Step<Facts>[];
  /** The last act after all was undone. */
  readonly conclude: (facts: Facts, ending: Ending, on: Effector) => Outcome;
};
