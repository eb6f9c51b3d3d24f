import type { DispatchEvent } from '@workledger/shared/contexts/agent/dispatch/events.ts';
import {
  dispatchDeliveryModel,
  dispatchModel,
  type DispatchDeliveryRow,
  type DispatchRow,
} from '@workledger/shared/contexts/agent/dispatch/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { dispatchDeliveriesTable, dispatchesTable } from './migration.ts';

/** A row a dispatch: what was sent. One that was forgotten stays so. */
export const dispatches = defineProjection<DispatchRow, Recorded<DispatchEvent>>(dispatchModel, {
  migrations: [dispatchesTable],
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision, position } = event;
    if (event.type !== 'DispatchSent') return row && { ...row, revision };
    const { from: sender, deliveries: _, ...sent } = event.data;
    const { correlationId } = event.metadata;
    const sentAt = event.recordedAt.toISOString();
    return { ...sent, id, revision, position: String(position), sender, correlationId, sentAt };
  },
});

/** A row each of those that a dispatch is for: how far it has come there. */
export const dispatchDeliveries = defineProjection<DispatchDeliveryRow, Recorded<DispatchEvent>>(
  dispatchDeliveryModel,
  {
    migrations: [dispatchDeliveriesTable],
    key: ({ type, data }) =>
      type === 'DispatchSent' ? data.deliveries.map(({ deliveryId }) => deliveryId) : [data.deliveryId],
    fold: (row, event, id) => (event.type === 'DispatchSent' ? sent(event, id) : row && moved(row, event)),
  },
);

type Sent = Extract<Recorded<DispatchEvent>, { readonly type: 'DispatchSent' }>;

function sent({ data, metadata, revision, recordedAt, stream }: Sent, id: string): DispatchDeliveryRow | undefined {
  const delivery = data.deliveries.find(({ deliveryId }) => deliveryId === id);
  if (delivery === undefined) return undefined;
  const { from: sender, type, guarantee, repository, expiresAt } = data;
  return {
    ...{ id, revision, dispatchId: streamId(stream), sender, target: delivery.target, type, guarantee, repository },
    ...{ correlationId: metadata.correlationId, state: 'pending', handings: 0, heldBy: null },
    ...{ dispatchedAt: recordedAt.toISOString(), handedAt: null, visibleAt: null, expiresAt },
    ...{ settledAt: null, reason: null, acknowledgedBy: null, receivedDigest: null },
    ...{ proofEventId: null, proofRevision: null, proofPosition: null },
  };
}

function moved(row: DispatchDeliveryRow, event: Exclude<Recorded<DispatchEvent>, Sent>): DispatchDeliveryRow {
  const { revision } = event;
  const at = event.recordedAt.toISOString();
  const settled = { ...row, revision, visibleAt: null, settledAt: at };
  switch (event.type) {
    case 'DispatchHandedOver': {
      const { to: heldBy, number: handings, visibleAt } = event.data;
      return { ...row, revision, state: 'sent', handings, heldBy, handedAt: at, visibleAt };
    }
    case 'DispatchAcknowledged': {
      const { by: acknowledgedBy, digest: receivedDigest } = event.data;
      const proof = { proofEventId: event.id, proofRevision: revision, proofPosition: String(event.position) };
      return { ...settled, state: 'acknowledged', acknowledgedBy, receivedDigest, ...proof };
    }
    case 'DispatchReturned':
      return { ...row, revision, state: 'pending', heldBy: null, visibleAt: null, reason: event.data.reason };
    case 'DispatchRejected':
      return { ...settled, state: 'rejected', reason: event.data.reason };
    case 'DispatchExpired':
      return { ...settled, state: 'expired' };
    case 'DispatchDied':
      return { ...settled, state: 'dead' };
  }
}
