import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { derivedId } from '../../stream.ts';
import { artefact, uuid } from '../../values.ts';

export const deliveryEvents = defineStreamType({
  type: 'delivery',
  context: 'sync',
  events: {
    DeliveryReceived: {
      version: 1,
      schema: z.strictObject({
        provider: z.enum(['github', 'linear', 'slack']),
        deliveryId: z.string(),
        event: z.string(),
        action: z.string().nullable(),
        /** The repository as the provider names it. */
        repository: z.string().nullable(),
        sender: personal('sender').nullable(),
        body: artefact,
      }),
    },
    /** A rule turned the delivery into work on a task. */
    DeliveryRouted: {
      version: 1,
      schema: z.strictObject({
        rule: z.string(),
        taskId: uuid,
        intent: z.discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('create-task'),
            title: z.string(),
            description: personal('sender'),
            repository: z.string(),
            labels: z.array(z.string()),
            priority: z.int().min(1).max(5),
            capabilities: z.array(z.string()),
            reference: z.string(),
            url: z.string().nullable(),
            requester: personal('sender').nullable(),
          }),
          z.strictObject({ kind: z.literal('cancel-task'), reason: z.string() }),
        ]),
      }),
    },
    DeliveryIgnored: { version: 1, schema: z.strictObject({ reason: z.string() }) },
  },
});
export type DeliveryEvent = EventOf<typeof deliveryEvents>;

/** The stream id of a delivery: a replay meets the first one's stream. */
export const deliveryStreamId = (provider: string, deliveryId: string): string =>
  derivedId('delivery', provider, deliveryId);

/** The task that an issue leads to. */
export const taskIdOfIssue = (provider: string, repository: string, issue: number): string =>
  derivedId('task', provider, repository.toLowerCase(), String(issue));
