import { createBreaker, type Breaker, type Tells } from '@workledger/shared/outbound/breaker.ts';
import type { Slots } from '@workledger/shared/outbound/slots.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { because, ComponentFailure, NotBegun, Postponed, type Component } from '../engine/component.ts';

export type LimitOptions<Request> = {
  /** How many calls run at once; components may share them. */
  readonly slots: Slots;
  /** Milliseconds for one call, without its wait for a slot. */
  timeoutMs(request: Request): number;
  /** Before each call, once it has its slot; answers what is done at its end. */
  readonly enter?: ((request: Request, signal: AbortSignal) => Promise<() => void>) | undefined;
  /** What fails together: calls about the same target share a breaker. */
  target(request: Request): string;
  /** Default: its own, which nobody looks at. */
  readonly breakers?: Breakers | undefined;
};

/** The component behind a concurrency limit, a circuit breaker for each target and a time limit; an abort ends the wait, too. */
export function limited<Request, Result>(
  component: Component<Request, Result>,
  options: LimitOptions<Request>,
): Component<Request, Result> {
  const breakers = options.breakers ?? createBreakers();
  return {
    name: component.name,
    async perform(request, context) {
      const release = await options.slots.take(context.signal).catch((reason: unknown) => {
        throw new NotBegun('it was stopped while it waited for its turn', { cause: reason });
      });
      let leave: (() => void) | undefined;
      try {
        leave = await options.enter?.(request, context.signal);
        const timeoutMs = options.timeoutMs(request);
        const limit = timeoutSignal(timeoutMs);
        const signal = AbortSignal.any([context.signal, limit]);
        return await breakers.of(component.name, options.target(request)).call(() =>
          component.perform(request, { ...context, signal }).catch((error: unknown) => {
            throw limit.aborted && !context.signal.aborted ? timedOut(component.name, timeoutMs, error) : error;
          }),
        );
      } finally {
        leave?.();
        release();
      }
    },
  };
}

function timedOut(name: string, timeoutMs: number, cause: unknown): ComponentFailure {
  const reason = `no end within ${Math.round(timeoutMs / 1_000)} s`;
  return new ComponentFailure(because(name, reason), { retryable: true, cause });
}

/** One for each component and target. */
export type Breakers = {
  /** What health shows: nothing before one was called. */
  facts(): Readonly<Record<string, unknown>>;
  of(component: string, target: string): Breaker;
  /** How many are how, by component: of those that were called. */
  counts(): Readonly<Record<string, { readonly closed: number; readonly open: number; readonly halfOpen: number }>>;
};

export function createBreakers(): Breakers {
  const all = new Map<string, Map<string, Breaker>>();
  const counts = () =>
    Object.fromEntries(
      [...all].map(([component, own]) => {
        const states = [...own.values()].map((breaker) => breaker.state());
        const count = (state: string): number => states.filter((one) => one === state).length;
        return [component, { closed: count('closed'), open: count('open'), halfOpen: count('half-open') }];
      }),
    );
  return {
    of: (component, target) => {
      const own = all.get(component) ?? new Map<string, Breaker>();
      all.set(component, own);
      const found = own.get(target) ?? componentBreaker(`${component} ${target}`);
      own.set(target, found);
      return found;
    },
    counts,
    facts: () => (all.size === 0 ? {} : { breakers: counts() }),
  };
}

/** Failures of the work, of the origin and of limits are no fault of it; that nobody is there, or that it was put off, says nothing. */
const tellsOfComponent: Tells = (error) => {
  if (error instanceof ComponentFailure) return error.fault === 'component' ? 'fails' : 'works';
  return error instanceof Postponed || isAway(error) ? 'nothing' : 'fails';
};

/** @param restMs default: as everywhere */
export const componentBreaker = (name: string, restMs?: number): Breaker =>
  createBreaker(name, tellsOfComponent, restMs);
