import type { Effect, SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { ResultOf } from '../components/catalogue.ts';
import type { Facts } from './facts.ts';

const CHOOSE = /^generate\/(\d+)\/1\/choose$/;
const BEGIN = /^generate\/\d+\/\d+\/begin$/;
const STOP = /\/stop$/;
const NOTE = /^generate\/(\d+)\/\d+\/note$/;

/** Folds who is asked to write, what became of it, and what Codegen does. */
export function absorbWriters(facts: Facts, event: SagaEvent): Facts {
  switch (event.type) {
    case 'SagaEffectRequested':
      return requested(facts, event.data.effect);
    case 'SagaEffectSucceeded':
      return succeeded(facts, event.data.key, event.data.result);
    case 'SagaEffectFailed':
      return STOP.test(event.data.key) ? { ...facts, codegen: null } : facts;
    default:
      return facts;
  }
}

function requested(facts: Facts, effect: Effect): Facts {
  if (effect.kind === 'call' && BEGIN.test(effect.key)) {
    const { label } = effect.request as { label: string };
    return { ...facts, codegen: { label, run: null } };
  }
  const round = NOTE.exec(effect.key)?.[1];
  if (effect.kind !== 'command' || round === undefined || facts.strategies === null) return facts;
  const { attempt, strategy, costUsd } = effect.data as { attempt: number; strategy: string; costUsd: number | null };
  const one = { round: Number(round), attempt, strategy, costUsd, succeeded: effect.type === 'generation.succeed' };
  return { ...facts, tries: [...facts.tries, one] };
}

function succeeded(facts: Facts, key: string, result: unknown): Facts {
  const round = CHOOSE.exec(key)?.[1];
  if (round !== undefined) {
    const { level, order } = result as ResultOf<'generation.choose'>;
    return { ...facts, strategies: { round: Number(round), level, order: order.map(({ name }) => name) } };
  }
  if (BEGIN.test(key) && facts.codegen !== null) {
    const { run } = result as ResultOf<'codegen.begin'>;
    return { ...facts, codegen: { ...facts.codegen, run } };
  }
  return STOP.test(key) ? { ...facts, codegen: null } : facts;
}
