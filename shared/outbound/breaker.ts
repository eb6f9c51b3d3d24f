import CircuitBreaker from 'opossum';
import { because } from '../contexts/values.ts';
import { Postponed } from './failures.ts';

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

/** What an error says of whatever is called: that it fails, that it is there all the same, or nothing at all. */
export type Tells = (error: unknown) => 'fails' | 'works' | 'nothing';

/**
 * Stops calling what fails: opens after five failures in a row, lets one call through after 30 s. What meanwhile comes is no try: it
 * throws Postponed.
 */
export function createBreaker(name: string, tells: Tells, restMs: number = REST_MS): Breaker {
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
