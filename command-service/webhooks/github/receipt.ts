import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { DeliveryEvent } from '@workledger/shared/events/delivery.ts';
import { streamName } from '@workledger/shared/events/stream.ts';
import { z } from 'zod';

export const receiptSchema = z.object({
  id: z.uuid().describe('The delivery here.'),
  deliveryId: z.string().describe("The delivery's id at GitHub."),
  outcome: z.enum(['routed', 'ignored']),
  taskId: z.uuid().optional().describe('The task that it led to.'),
  reason: z.string().optional().describe('Why it was ignored.'),
});
export type Receipt = z.infer<typeof receiptSchema>;

export type RecordedReceipt = { readonly receipt: Receipt; readonly commandId: string; readonly token: string };

/** What became of a delivery, as its stream tells it; null when it has not come yet. */
export async function readReceipt(log: EventLog, id: string): Promise<RecordedReceipt | null> {
  const stream = streamName('delivery', id);
  let deliveryId = '';
  for await (const recorded of log.readStream(stream)) {
    const event = upcast(recorded) as DeliveryEvent;
    if (event.type === 'DeliveryReceived') {
      deliveryId = event.data.deliveryId;
      continue;
    }
    const outcome =
      event.type === 'DeliveryRouted'
        ? ({ outcome: 'routed', taskId: event.data.taskId } as const)
        : ({ outcome: 'ignored', reason: event.data.reason } as const);
    const { commandId } = recorded.metadata;
    return { receipt: { id, deliveryId, ...outcome }, commandId, token: `${stream}@${recorded.revision}` };
  }
  return null;
}
