import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { agentTold, artefact, type ArtefactReference } from '@workledger/shared/contexts/values.ts';
import type { PipelineEffect } from '@workledger/shared/contexts/saga/row.ts';

export type EffectEvent = Exclude<Extract<SagaEvent, { type: `SagaEffect${string}` }>, { type: 'SagaEffectRequested' }>;

/** An effect as it was requested. */
export const requestedEffect = (effect: Effect, at: string): PipelineEffect => ({
  key: effect.key,
  kind: effect.kind,
  name: nameOf(effect),
  state: 'requested',
  artefacts: {},
  exitCode: null,
  commit: null,
  costUsd: null,
  durationMs: null,
  failure: null,
  requestedAt: at,
  endedAt: null,
});

/** The effect after its end, or after what ended it for now; the result of one that was cancelled shows what it had done, but does not revive it. */
export function endEffect(before: PipelineEffect, event: EffectEvent, at: string): PipelineEffect {
  const { waitsFor: _over, ...effect } = before;
  const cancelled = effect.state === 'cancelled';
  switch (event.type) {
    case 'SagaEffectCancelled':
      return { ...effect, state: 'cancelled', endedAt: at };
    case 'SagaEffectInterrupted':
      return { ...effect, interrupted: event.data.times, failure: event.data.failure };
    case 'SagaEffectPostponed':
      return { ...effect, waitsFor: event.data.failure.reason };
    case 'SagaEffectFailed': {
      const { failure, prompt, costUsd, agent } = event.data;
      const artefacts = { ...(prompt !== null && { prompt }), ...(failure.log !== null && { log: failure.log }) };
      const state = cancelled ? 'cancelled' : 'failed';
      const told = { ...(agent !== undefined && { agent }), exitCode: failure.exitCode, costUsd };
      return { ...effect, state, failure, artefacts, ...told, endedAt: at };
    }
    case 'SagaEffectSucceeded': {
      const result = isObject(event.data.result) ? event.data.result : {};
      const agent = agentTold.safeParse(result['agent']).data;
      return {
        ...effect,
        ...(agent !== undefined && { agent }),
        state: cancelled ? 'cancelled' : 'succeeded',
        failure: null,
        artefacts: artefactsOf(result),
        exitCode: numberOf(result['exitCode']),
        commit: typeof result['commit'] === 'string' ? result['commit'] : null,
        costUsd: numberOf(result['costUsd']),
        durationMs: numberOf(result['durationMs']),
        endedAt: at,
      };
    }
  }
}

function nameOf(effect: Effect): string {
  if (effect.kind === 'call') return effect.component;
  return effect.kind === 'command' ? effect.type : 'timer';
}

const artefactsOf = (result: Readonly<Record<string, unknown>>): Record<string, ArtefactReference> =>
  Object.fromEntries(
    Object.entries(result).flatMap(([name, value]) => {
      const parsed = artefact.safeParse(value);
      return parsed.success ? [[name, parsed.data]] : [];
    }),
  );

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
