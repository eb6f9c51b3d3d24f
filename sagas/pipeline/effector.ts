import type { Failure, Fault } from '@workledger/shared/contexts/values.ts';
import type { CommandTypeOf } from '@workledger/shared/commands/catalogue.ts';
import { timer, type EffectRequest, type Effects } from '../engine/saga.ts';
import { jittered, type CommandResult, type Effector, type Settled } from './definition.ts';

/** Where an effector stands: keys of its effects begin with `<prefix>/`. */
export type Place = {
  readonly prefix: string;
  readonly round: number;
  readonly attempt: number;
  readonly timeoutSeconds: number;
  readonly now: Date;
};

/** Collects what a step asks for, and remembers the first failure that the step left to the pipeline. */
export type Collected = {
  readonly requested: EffectRequest[];
  failure: { failure: Failure; retryable: boolean; fault: Fault | null } | null;
};

/** The effector of one attempt over the effects that stand so far. */
export function createEffector(effects: Effects, place: Place): { on: Effector; collected: Collected } {
  const collected: Collected = { requested: [], failure: null };

  function settle<Result>(effect: EffectRequest): Settled<Result> | null {
    const status = effects.get(effect.key);
    if (status === undefined) collected.requested.push(effect);
    if (status?.state === 'succeeded') return { result: status.result as Result };
    if (status?.state === 'failed') {
      const { failure, retryable, costUsd, prompt, fault, until } = status;
      return { failure, retryable, costUsd, prompt, fault, until };
    }
    return null;
  }

  function orFail<Result>(settled: Settled<Result> | null): Result | null {
    if (settled?.failure !== undefined) {
      const { failure, retryable, fault } = settled;
      collected.failure ??= { failure, retryable, fault };
      return null;
    }
    return settled?.result ?? null;
  }

  const key = (name: string): string => `${place.prefix}/${name}`;
  const commandEffect = (name: string, type: CommandTypeOf<'saga'>, target: string, data: unknown): EffectRequest => ({
    kind: 'command',
    key: key(name),
    type,
    target,
    data,
  });
  const callEffect = (name: string, component: string, request: unknown, seconds?: number): EffectRequest => ({
    kind: 'call',
    key: key(name),
    component,
    request,
    timeoutSeconds: seconds ?? place.timeoutSeconds,
  });

  const on: Effector = {
    round: place.round,
    attempt: place.attempt,
    now: place.now,
    command: (...command) => orFail(settle<CommandResult>(commandEffect(...command))),
    tryCommand: (...command) => settle<CommandResult>(commandEffect(...command)),
    call: (...call) => orFail(settle(callEffect(...call))),
    tryCall: (...call) => settle(callEffect(...call)),
    pause: (name, seconds) => settle(timer(key(name), jittered(seconds, place.now))) !== null,
  };
  return { on, collected };
}
