import CircuitBreaker from 'opossum';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
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
        const limit = AbortSignal.timeout(timeoutMs);
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

/** Lets at most `count` holders in at once, in the order they came. */
export type Slots = {
  /**
   * Waits for a slot. @param priority higher ones are let in earlier; default: 0
   * @returns gives it back @throws the signal's reason when it aborts while waiting
   */
  take(signal: AbortSignal, priority?: number): Promise<() => void>;
  /** How many have a slot, and how many wait for one. */
  counts(): { readonly underWay: number; readonly waiting: number };
};

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: { readonly priority: number; enter(): void }[] = [];

  const give = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next.enter();
  };
  const once = (): (() => void) => {
    let held = true;
    return () => {
      if (held) give();
      held = false;
    };
  };

  return {
    counts: () => ({ underWay: count - free, waiting: waiting.length }),
    async take(signal, priority = 0) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return once();
      }
      await new Promise<void>((resolve, reject) => {
        const entry = {
          priority,
          enter: (): void => {
            signal.removeEventListener('abort', leave);
            resolve();
          },
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal.reason as Error);
        };
        const behind = waiting.findIndex((other) => other.priority < priority);
        waiting.splice(behind < 0 ? waiting.length : behind, 0, entry);
        signal.addEventListener('abort', leave, { once: true });
      });
      return once();
    },
  };
}

/** Failures in a row that open it. */
const FAILURES = 5;
/** Milliseconds until one call may try again. */
const REST_MS = 30_000;
/** Milliseconds that its own counts, which nobody reads, are kept: the longer, the less it has to do. */
const WINDOW_MS = 300_000;

export type Breaker = {
  call<Result>(action: () => Promise<Result>): Promise<Result>;
  state(): 'closed' | 'open' | 'half-open';
};

/** One for each component and target. */
export type Breakers = {
  of(component: string, target: string): Breaker;
  /** How many are how, by component: of those that were called. */
  counts(): Readonly<Record<string, { readonly closed: number; readonly open: number; readonly halfOpen: number }>>;
};

export function createBreakers(): Breakers {
  const all = new Map<string, Map<string, Breaker>>();
  return {
    of: (component, target) => {
      const own = all.get(component) ?? new Map<string, Breaker>();
      all.set(component, own);
      const found = own.get(target) ?? createBreaker(`${component} ${target}`);
      own.set(target, found);
      return found;
    },
    counts: () =>
      Object.fromEntries(
        [...all].map(([component, own]) => {
          const states = [...own.values()].map((breaker) => breaker.state());
          const count = (state: string): number => states.filter((one) => one === state).length;
          return [component, { closed: count('closed'), open: count('open'), halfOpen: count('half-open') }];
        }),
      ),
  };
}

/** What an error says of whatever is called: that it fails, that it is there all the same, or nothing at all. */
export type Tells = (error: unknown) => 'fails' | 'works' | 'nothing';

/** Failures of the work, of the origin and of limits are no fault of it; that nobody is there, or that it was put off, says nothing. */
const tellsOfComponent: Tells = (error) => {
  if (error instanceof ComponentFailure) return error.fault === 'component' ? 'fails' : 'works';
  return error instanceof Postponed || isAway(error) ? 'nothing' : 'fails';
};

/**
 * Stops calling what fails: opens after five failures in a row, lets one call through after 30 s. What meanwhile comes is no try: it
 * throws Postponed. @param tells what errors say; default: of a component
 */
export function createBreaker(name: string, restMs: number = REST_MS, tells: Tells = tellsOfComponent): Breaker {
  let inRow = 0;
  const circuit = new CircuitBreaker((action: () => Promise<unknown>) => action(), {
    ...{ name, timeout: false, resetTimeout: restMs },
    // By itself it counts a share of all calls: whatever succeeded before would hold it closed.
    volumeThreshold: Number.MAX_SAFE_INTEGER,
    ...{ rollingCountTimeout: WINDOW_MS, rollingCountBuckets: 10 },
    errorFilter: (error: unknown) => tells(error) !== 'fails',
  });
  const count = (said: ReturnType<Tells>): void => {
    if (said === 'works') inRow = 0;
    if (said === 'fails' && ++inRow >= FAILURES) circuit.open();
  };
  return {
    state: () => (circuit.halfOpen ? 'half-open' : circuit.opened ? 'open' : 'closed'),
    async call<Result>(action: () => Promise<Result>): Promise<Result> {
      try {
        const result = (await circuit.fire(action)) as Result;
        count('works');
        return result;
      } catch (error) {
        if (!isOpen(error)) {
          count(tells(error));
          throw error;
        }
        const reason = `failed ${FAILURES} times and rests; it is tried again within ${Math.ceil(restMs / 1_000)} s`;
        throw new Postponed(because(name, reason));
      }
    },
  };
}

const isOpen = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EOPENBREAKER';
