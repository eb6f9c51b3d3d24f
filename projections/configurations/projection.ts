import type { ConfigurationEvent } from '@workledger/shared/contexts/sync/configuration/events.ts';
import {
  configurationModel,
  configurationRevisionModel,
  type ConfigurationRevisionRow,
  type ConfigurationRow,
} from '@workledger/shared/contexts/sync/configuration/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { configurationsMigrations } from './migration.ts';

type Event = Recorded<ConfigurationEvent>;

/** What the API has set, and which revision set each value. */
export const configurations = defineProjection<ConfigurationRow, Event>(configurationModel, {
  migrations: configurationsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, { data, revision, recordedAt }, id) => {
    const { environment, content, changes, changedBy } = data;
    const gone = new Set(changes.map(({ path }) => path));
    const kept = Object.entries(row?.since ?? {}).filter(([path]) => !gone.has(path));
    const set = changes.flatMap((change) => ('value' in change ? [[change.path, revision] as const] : []));
    return {
      ...{ id, revision, environment, content },
      ...{ since: Object.fromEntries([...kept, ...set]), changedBy, changedAt: recordedAt.toISOString() },
    };
  },
});

/** A row a revision; its table is made with that of the newest. */
export const configurationRevisions = defineProjection<ConfigurationRevisionRow, Event>(configurationRevisionModel, {
  migrations: [],
  key: ({ stream, revision }) => [`${stream}@${revision}`],
  fold: (_, { data, revision, recordedAt }, id) => {
    const { rolledBackTo = null, content, ...rest } = data;
    const changedAt = recordedAt.toISOString();
    return {
      ...rest,
      content,
      id,
      revision,
      rolledBackTo,
      changedAt,
    };
  },
});
