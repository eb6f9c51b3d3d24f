import type { AgentTold, ArtefactReference, Failure, Fault } from '@workledger/shared/contexts/values.ts';
import type { TakeNote } from './notes.ts';

export { because } from '@workledger/shared/contexts/values.ts';
export { Postponed } from '@workledger/shared/outbound/failures.ts';

export type PerformContext = {
  /** Stable over retries and restarts: saga stream, effect and attempt. */
  readonly key: string;
  /** Aborts on cancellation, timeout and shutdown. */
  readonly signal: AbortSignal;
  /** Takes a note of how far it is; absent: nobody listens. */
  readonly note?: TakeNote | undefined;
};

/** One external system: takes a request, answers a result, both plain JSON. @throws ComponentFailure */
export type Component<Request = never, Result = unknown> = {
  readonly name: string;
  perform(request: Request, context: PerformContext): Promise<Result>;
};

/** The call was ended before anything was done for it. */
export class NotBegun extends Error {
  override name = 'NotBegun';
}

export type ComponentFailureOptions = {
  /** False: the same again cannot help. */
  readonly retryable: boolean;
  /** `work`: the component did its part, what it carried failed (an agent, a command). Default: the component's. */
  readonly fault?: Fault;
  /** ISO 8601: when a limit ends by itself; null: nobody told. */
  readonly until?: string | null;
  /** US dollars that were spent all the same; null: nobody told. */
  readonly costUsd?: number | null;
  /** What the agent was asked; its output is the failure's log. */
  readonly prompt?: ArtefactReference | null;
  /** What an agent told of its work all the same. */
  readonly agent?: AgentTold | null | undefined;
  readonly cause?: unknown;
};

/** The component could not do it. `failure` says why, for a person; `retryable` false: the same again cannot help. */
export class ComponentFailure extends Error {
  override name = 'ComponentFailure';
  readonly failure: Failure;
  readonly retryable: boolean;
  readonly fault: Fault;
  readonly until: string | null;
  readonly costUsd: number | null;
  readonly prompt: ArtefactReference | null;
  readonly agent: AgentTold | null;
  constructor(failure: Failure, options: ComponentFailureOptions) {
    super(`${failure.step}: ${failure.reason}`, { cause: options.cause });
    this.failure = failure;
    this.retryable = options.retryable;
    this.fault = options.fault ?? 'component';
    this.until = options.until ?? null;
    this.costUsd = options.costUsd ?? null;
    this.prompt = options.prompt ?? null;
    this.agent = options.agent ?? null;
  }
}
