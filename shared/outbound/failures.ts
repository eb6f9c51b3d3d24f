import type { Failure } from '../contexts/values.ts';

/** The configuration does not let this be called. */
export class NotAllowed extends Error {
  override name = 'NotAllowed';
}

/** The target gave no answer that can be used. */
export class TargetAway extends Error {
  override name = 'TargetAway';
  /** Nobody can tell whether it did what it was asked for. */
  readonly mayHaveHappened: boolean;
  constructor(
    message: string,
    { mayHaveHappened, cause }: { readonly mayHaveHappened: boolean; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.mayHaveHappened = mayHaveHappened;
  }
}

/** The target takes nothing more before a time, or this process has asked it for as much as it may. Nothing was done. */
export class LimitReached extends Error {
  override name = 'LimitReached';
  readonly until: Date;
  constructor(message: string, until: Date) {
    super(message);
    this.until = until;
  }
}

/** The target did not answer, for now: it is away, takes nothing more, or is let rest. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof TargetAway || error instanceof LimitReached || error instanceof Postponed;

/** The call cannot be done now, for a reason outside that may last: it is no try, and is asked for again by and by until it can. */
export class Postponed extends Error {
  override name = 'Postponed';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(`${failure.step}: ${failure.reason}`);
    this.failure = failure;
  }
}
