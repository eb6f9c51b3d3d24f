import type { DomainEvent } from '../contexts/define-events.ts';

/** What every event carries beside its data: who caused it, by which command, in which conversation. */
export type EventMetadata = {
  /** One id for everything that follows from one request. */
  readonly correlationId: string;
  /** Id of the event or command that led to this one. */
  readonly causationId: string | null;
  readonly commandId: string;
  /** SHA-256 (hex) of the canonical body of the command: tells a repeat from another request under the same key. */
  readonly commandHash: string;
  /** Opaque id of the caller: `key:<uuid>`, `agent:<uuid>`, `user:<uuid>`, `saga:<stream>` or `system`. */
  readonly actor: string;
  /** W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header */
  readonly traceparent: string | null;
};

/** An event ready to be appended. `id` is a UUID; appending the same ids again is a repeat, not a second event. */
export type NewEvent = DomainEvent & {
  readonly id: string;
  /** Version of the event's schema, from 1. */
  readonly version: number;
  readonly metadata: EventMetadata;
};

/** An event as the log gives it back. */
export type RecordedEvent<Type extends string = string, Data = unknown> = DomainEvent<Type, Data> & {
  readonly id: string;
  readonly version: number;
  readonly stream: string;
  /** Place in its stream, from 0, without gaps. */
  readonly revision: number;
  /** Place in the whole log: opaque, monotonic; only one that the log gave is valid. */
  readonly position: bigint;
  readonly recordedAt: Date;
  readonly metadata: EventMetadata;
};
