import type { AgentEvent } from '@workledger/shared/events/agent.ts';
import { streamName } from '@workledger/shared/events/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

/** What an agent holds now, by claim id, as its own stream tells it. */
export type Reservations = ReadonlyMap<string, { readonly taskId: string }>;

/** Follows an agent's stream: each call reads only what came since the last one. */
export function followReservations(log: EventLog, agentId: string): () => Promise<Reservations> {
  const stream = streamName('agent', agentId);
  const held = new Map<string, { taskId: string }>();
  let next = 0;
  return async () => {
    for await (const recorded of log.readStream(stream, { from: next })) {
      const event = recorded as unknown as AgentEvent;
      if (event.type === 'AgentReserved') held.set(event.data.claimId, { taskId: event.data.taskId });
      if (event.type === 'AgentReleased') held.delete(event.data.claimId);
      next = recorded.revision + 1;
    }
    return held;
  };
}
