import { because, ComponentFailure, type Component } from '../../engine/component.ts';
import { createBreaker, type Breaker } from './breaker.ts';
import type { Slots } from './slots.ts';

export type Resilience<Request> = {
  /** How many calls run at once; components may share them. */
  readonly slots: Slots;
  /** Milliseconds for one call, without its wait for a slot. */
  timeoutMs(request: Request): number;
  /** What fails together: calls about the same target share a breaker. */
  target(request: Request): string;
};

/** The component behind a concurrency limit, a circuit breaker for each target and a time limit; an abort ends the wait, too. */
export function withResilience<Request, Result>(
  component: Component<Request, Result>,
  options: Resilience<Request>,
): Component<Request, Result> {
  const breakers = new Map<string, Breaker>();
  const breakerOf = (target: string): Breaker => {
    const found = breakers.get(target) ?? createBreaker(`${component.name} ${target}`);
    breakers.set(target, found);
    return found;
  };
  return {
    name: component.name,
    async perform(request, context) {
      const release = await options.slots.take(context.signal);
      try {
        const timeoutMs = options.timeoutMs(request);
        const limit = AbortSignal.timeout(timeoutMs);
        const signal = AbortSignal.any([context.signal, limit]);
        return await breakerOf(options.target(request)).call(() =>
          component.perform(request, { ...context, signal }).catch((error: unknown) => {
            throw limit.aborted && !context.signal.aborted ? timedOut(component.name, timeoutMs, error) : error;
          }),
        );
      } finally {
        release();
      }
    },
  };
}

function timedOut(name: string, timeoutMs: number, cause: unknown): ComponentFailure {
  const reason = `no end within ${Math.round(timeoutMs / 1_000)} s`;
  return new ComponentFailure(because(name, reason), { retryable: true, cause });
}
