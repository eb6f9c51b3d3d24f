import { status } from '@grpc/grpc-js';

/** Of the connection and of resources: cancelled, deadline exceeded, resource exhausted, aborted, internal, unavailable. */
export const RESOURCES: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);
