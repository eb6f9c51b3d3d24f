import type { Migration } from '../../../migrations/migrate.ts';
import { createEvents } from './0001-create-events.ts';
import { createAppendBatch } from './0002-create-append-batch.ts';

export const eventLogMigrations: readonly Migration[] = [createEvents, createAppendBatch];
