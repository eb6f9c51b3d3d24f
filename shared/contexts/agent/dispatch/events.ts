import { z } from 'zod';
import { defineStreamType, personal, type EventOf } from '../../define-events.ts';
import { derivedId } from '../../stream.ts';
import { uuid } from '../../values.ts';

/** Targets of one dispatch. */
export const MOST_TARGETS = 20;
/** After so many handings over without an acknowledgement a delivery is dead. */
export const MOST_HANDINGS = 20;

export const guarantee = z.enum(['at-most-once', 'at-least-once', 'effectively-once']);
export type Guarantee = z.infer<typeof guarantee>;

/** SHA-256, hex. */
export const digest = z.string().regex(/^[0-9a-f]{64}$/);

const delivery = { deliveryId: uuid, target: z.string() };

/** Something that is handed over under a guarantee, and what became of it at each of those that it is for. */
export const dispatchEvents = defineStreamType({
  type: 'dispatch',
  context: 'agent',
  events: {
    DispatchSent: {
      version: 1,
      schema: z.strictObject({
        from: z.string(),
        sourceService: z.string().nullable(),
        /** A participant, or `team:<name>`. */
        deliveries: z.array(z.strictObject(delivery)),
        guarantee,
        type: z.string(),
        version: z.int().min(1),
        /** The number of the message type's schema by which it was judged; null: there is no such type. */
        typeNumber: z.int().min(1).nullable(),
        /** JSON text. */
        payload: personal('from'),
        /** Of the payload as canonical JSON. */
        digest,
        expiresAt: z.iso.datetime(),
        repository: z.string().nullable(),
      }),
    },
    DispatchHandedOver: {
      version: 1,
      schema: z.strictObject({
        ...delivery,
        to: z.string(),
        /** From 1. */
        number: z.int().min(1),
        /** From when on it is handed out again where it was not acknowledged; null: never. */
        visibleAt: z.iso.datetime().nullable(),
      }),
    },
    DispatchAcknowledged: {
      version: 1,
      schema: z.strictObject({ ...delivery, by: z.string(), digest, from: z.string() }),
    },
    /** Given back by whoever had it: it may be handed out again. */
    DispatchReturned: {
      version: 1,
      schema: z.strictObject({ ...delivery, by: z.string(), number: z.int().min(1), reason: personal('by') }),
    },
    DispatchRejected: {
      version: 1,
      schema: z.strictObject({ ...delivery, by: z.string(), number: z.int().min(1), reason: personal('by') }),
    },
    DispatchExpired: { version: 1, schema: z.strictObject({ ...delivery, handings: z.int().min(0) }) },
    /** Handed over as often as may be, and never acknowledged. */
    DispatchDied: { version: 1, schema: z.strictObject({ ...delivery, handings: z.int().min(1) }) },
  },
});
export type DispatchEvent = EventOf<typeof dispatchEvents>;
export type DispatchSent = Extract<DispatchEvent, { type: 'DispatchSent' }>['data'];

/** The id of a dispatch at one of its targets: the same however often it is handed over, and so a key under which its effect happens once. */
export const deliveryIdOf = (dispatchId: string, target: string): string =>
  derivedId('dispatch-delivery', dispatchId, target);
