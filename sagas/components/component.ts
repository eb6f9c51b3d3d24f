import type { Failure } from '@workledger/shared/events/values.ts';

export type PerformContext = {
  /** Stable over retries and restarts: saga stream, effect and attempt. */
  readonly key: string;
  /** Aborts on cancellation, timeout and shutdown. */
  readonly signal: AbortSignal;
};

/** One external system: takes a request, answers a result, both plain JSON. @throws ComponentFailure */
export type Component<Request = never, Result = unknown> = {
  readonly name: string;
  perform(request: Request, context: PerformContext): Promise<Result>;
};

/** The component could not do it. `failure` says why, for a person; `retryable` false: the same again cannot help. */
export class ComponentFailure extends Error {
  override name = 'ComponentFailure';
  readonly failure: Failure;
  readonly retryable: boolean;
  constructor(failure: Failure, options: { retryable: boolean; cause?: unknown }) {
    super(`${failure.step}: ${failure.reason}`, { cause: options.cause });
    this.failure = failure;
    this.retryable = options.retryable;
  }
}
