import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';
import { place } from '../message/row.ts';
import { guarantee } from './events.ts';
import { deliveryStates } from './state.ts';

export const dispatchRow = z.strictObject({
  id: uuid,
  revision,
  position: place,
  sender: z.string(),
  sourceService: z.string().nullable(),
  guarantee,
  type: z.string(),
  version: z.int(),
  typeNumber: z.int().nullable().describe('of the schema of the message type that its payload was judged by'),
  payload: z.string().describe('JSON text'),
  digest: z.string().describe('SHA-256 (hex) of the payload as canonical JSON'),
  repository: z.string().nullable(),
  correlationId: z.string(),
  sentAt: time,
  expiresAt: time,
});
export type DispatchRow = RowOf<typeof dispatchRow>;

export const dispatchModel = defineReadModel({
  name: 'dispatches',
  version: 1,
  table: 'dispatches',
  streams: ['dispatch'],
  schema: dispatchRow,
});

/** A dispatch at one of those that it is for. */
export const dispatchDeliveryRow = z.strictObject({
  id: uuid.describe('the same however often it is handed over'),
  revision,
  dispatchId: uuid,
  sender: z.string(),
  target: z.string().describe('a participant, or team:<name>'),
  type: z.string(),
  guarantee,
  repository: z.string().nullable(),
  correlationId: z.string(),
  state: z.enum(deliveryStates),
  handings: z.int().describe('how often it was handed over'),
  heldBy: z.string().nullable().describe('whom it was handed over to last; null: nobody, or it was given back'),
  dispatchedAt: time,
  handedAt: time.nullable().describe('the last time'),
  visibleAt: time
    .nullable()
    .describe('from when on it is handed out again; null: at once where it is pending, else never'),
  expiresAt: time,
  settledAt: time.nullable(),
  reason: z.string().nullable().describe('why it was given back or rejected the last time'),
  acknowledgedBy: z.string().nullable(),
  receivedDigest: z.string().nullable().describe('of what was received, as it was acknowledged'),
  proofEventId: uuid.nullable(),
  proofRevision: z.int().nullable(),
  proofPosition: place.nullable(),
});
export type DispatchDeliveryRow = RowOf<typeof dispatchDeliveryRow>;

export const dispatchDeliveryModel = defineReadModel({
  name: 'dispatch-deliveries',
  version: 1,
  table: 'dispatch_deliveries',
  streams: ['dispatch'],
  schema: dispatchDeliveryRow,
});
