import type { Migration } from '../../../migrations/migrate.ts';
import { createEvents } from './0001-create-events.ts';
import { createAppendEvent } from './0002-create-append-event.ts';
import { createAppendBatch } from './0003-create-append-batch.ts';

export const eventLogMigrations: readonly Migration[] = [createEvents, createAppendEvent, createAppendBatch];
