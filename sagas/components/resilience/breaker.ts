import CircuitBreaker from 'opossum';
import { because, ComponentFailure } from '../../engine/component.ts';

/** Failures that open it. */
const FAILURES = 5;
/** Milliseconds until one call may try again. */
const REST_MS = 30_000;
/** Milliseconds in which failures are counted together. */
const WINDOW_MS = 300_000;

export type Breaker = { call<Result>(action: () => Promise<Result>): Promise<Result> };

/** Stops calling what fails: opens after five failures, lets one call through after 30 s. The work's own failures do not count. */
export function createBreaker(name: string, restMs: number = REST_MS): Breaker {
  const circuit = new CircuitBreaker((action: () => Promise<unknown>) => action(), {
    name,
    timeout: false,
    volumeThreshold: FAILURES,
    errorThresholdPercentage: 50,
    resetTimeout: restMs,
    rollingCountTimeout: WINDOW_MS,
    rollingCountBuckets: 10,
    errorFilter: (error: unknown) => error instanceof ComponentFailure && error.fault === 'work',
  });
  return {
    async call<Result>(action: () => Promise<Result>): Promise<Result> {
      try {
        return (await circuit.fire(action)) as Result;
      } catch (error) {
        if (!isOpen(error)) throw error;
        const reason = `failed ${FAILURES} times and rests; it is tried again within ${Math.ceil(restMs / 1_000)} s`;
        throw new ComponentFailure(because(name, reason), { retryable: true, cause: error });
      }
    },
  };
}

const isOpen = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EOPENBREAKER';
