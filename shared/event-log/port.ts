import type { NewEvent, RecordedEvent } from '../events/recorded-event.ts';

/** The revision that the stream must have: `none` = it must not exist yet. There is no "any". */
export type ExpectedRevision = 'none' | number;

/** Revision of the last event written, and its position. */
export type AppendResult = { readonly revision: number; readonly position: bigint };

export type Direction = 'forward' | 'backward';

export type ReadStreamOptions = {
  /** First revision to give, inclusive; default: the start, or the end when backward. */
  readonly from?: number;
  readonly direction?: Direction;
  /** At most so many events; default: all. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
};

export type EventFilter = {
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** Only events of streams of these types. */
  readonly streams?: readonly string[];
};

export type ReadAllOptions = EventFilter & {
  /** Exclusive; default: from the start. */
  readonly after?: bigint;
  /** Inclusive; default: the head at the time of the call. */
  readonly until?: bigint;
  readonly signal?: AbortSignal;
};

/** Events in position order. `next` = everything up to this position has been seen (resume with `after: next`). */
export type Batch = { readonly events: readonly RecordedEvent[]; readonly next: bigint; readonly caughtUp: boolean };

export type SubscribeOptions = EventFilter & {
  /** Exclusive; default: from the start. */
  readonly after?: bigint;
  readonly signal: AbortSignal;
};

/** The append-only log. Adapters: `postgres/` and `eventstoredb/`; the contract suite says what each must do. */
export type EventLog = {
  /**
   * Appends all events or none. The same event ids again, with their original expected revision, succeed and answer the same.
   * @throws RevisionConflict, AppendTooLarge, InvalidAppend, OutcomeUnknown
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  /** Events of one stream; none when it does not exist. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  /** Events of the whole log, forward. */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;
  /**
   * What is there, then what comes, until the signal aborts (then it ends without an error). Says once that it has caught up,
   * with an empty batch where nothing came last. A consumer that is slow misses nothing.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<Batch>;
  /** Position of the last event; 0 while the log is empty. */
  head(): Promise<bigint>;
  close(): Promise<void>;
};
