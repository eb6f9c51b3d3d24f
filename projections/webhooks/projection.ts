import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { WebhookEvent } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { webhookModel, type WebhookRow } from '@workledger/shared/contexts/sync/webhook/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { webhooksMigrations } from './migration.ts';

export const webhooks = defineProjection<WebhookRow, Recorded<WebhookEvent>>(webhookModel, {
  migrations: webhooksMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    const now = (status: WebhookRow['status'], reason: string | null): WebhookRow => ({
      ...existing(row, event),
      ...{ revision, status, reason, statusSince: at },
    });
    switch (event.type) {
      case 'WebhookCreated': {
        const { name, eventTypes, repositories, reach, madeBy } = event.data;
        const data = { name, eventTypes, repositories, reach, madeBy };
        const status = { status: 'active', reason: null, statusSince: at } as const;
        return { id, revision, ...data, ...status, oldSecretUntil: null, createdAt: at };
      }
      case 'WebhookChanged': {
        // The address is not there where the event came by the bus.
        const { url: _, ...changed } = event.data;
        return { ...existing(row, event), ...(changed as Partial<WebhookRow>), revision };
      }
      case 'WebhookPaused':
        return now('paused', event.data.reason);
      case 'WebhookDisabled':
        return now('disabled', event.data.reason);
      case 'WebhookResumed':
        return now('active', null);
      case 'WebhookSecretRotated':
        return { ...existing(row, event), revision, oldSecretUntil: event.data.oldUntil };
      case 'WebhookTestAsked':
      case 'WebhookRedeliveryAsked':
      case 'WebhookDeliveryDropped':
        return { ...existing(row, event), revision };
      case 'WebhookDeleted':
        return undefined;
    }
  },
});
