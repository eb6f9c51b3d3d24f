import type { EventMetadata } from '@workledger/shared/events/recorded-event.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';

/** Of events that nobody asked for by a command, each time in a conversation of its own. */
export const anyMetadata = (): EventMetadata => ({
  correlationId: newId(),
  causationId: null,
  commandId: newId(),
  commandHash: '0'.repeat(64),
  actor: 'system',
  traceparent: null,
});
