import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import type { StepContext } from './step.ts';

/**
 * What follows from a claim belongs to the conversation that the task began with, whoever claims it: one correlation id leads
 * from the request to the result.
 */
export async function inConversationOf(log: EventLog, taskId: string, context: StepContext): Promise<StepContext> {
  for await (const { metadata } of log.readStream(streamName('task', taskId), { limit: 1 })) {
    const { correlationId, traceparent } = metadata;
    return { ...context, correlationId, traceparent: context.traceparent ?? traceparent };
  }
  return context;
}
