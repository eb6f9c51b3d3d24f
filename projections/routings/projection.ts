import type { RoutingEvent } from '@workledger/shared/contexts/evolution/routing/events.ts';
import { routingModel, type RoutingRow } from '@workledger/shared/contexts/evolution/routing/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { routingsMigrations } from './migration.ts';

export const routings = defineProjection<RoutingRow, Recorded<RoutingEvent>>(routingModel, {
  migrations: routingsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    switch (event.type) {
      case 'ModelRouted':
        return { ...event.data, id, revision, succeeded: null, costUsd: null, routedAt: at, reportedAt: null };
      case 'RoutingOutcomeReported':
        return { ...existing(row, event), ...event.data, revision, reportedAt: at };
    }
  },
});
