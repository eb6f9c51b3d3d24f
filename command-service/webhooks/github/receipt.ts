import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
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

/**
 * What became of a delivery, as its stream tells it; null when it has not come yet.
 * @param reaches a revision that its stream has for certain; default: nothing is known @throws LogBehind
 */
export async function readReceipt(log: EventLog, id: string, reaches = -1): Promise<RecordedReceipt | null> {
  const stream = streamName('delivery', id);
  let deliveryId = '';
  for await (const recorded of readKnown(log, stream, { from: 0, reaches })) {
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
