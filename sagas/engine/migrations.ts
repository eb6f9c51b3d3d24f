import type { Knex } from 'knex';
import { redrivesTable } from '@workledger/shared/consumption/redrives.ts';
import { begunTable } from './begun.ts';
import { modelBatchesTable } from '../components/models/batches.ts';
import { modelAnswersTable } from '../components/models/migration.ts';
import { pluginTables } from '../plugins/set-aside.ts';
import { componentsTable } from '../components/state-table.ts';
import { catchUpTable } from '../catch-up/cursor.ts';
import { generationOutcomesTable } from '../components/generation/outcomes.ts';
import { webhookDeliveriesTables } from '../webhooks/migration.ts';
import { workflowWaitsTable } from '../workflow/waits/migration.ts';

/** Tables of the saga engine, in schema `sagas`. */
export const sagaMigrations: readonly { name: string; up(knex: Knex): Promise<void> }[] = [
  {
    name: '0001-engine',
    up: (knex) =>
      knex.raw(`
        create schema if not exists sagas;
        create table sagas.progress (
          consumer text not null,
          topic text not null,
          partition smallint not null,
          next_offset bigint not null,
          primary key (consumer, topic, partition)
        );
        create table sagas.cancelled_effects (
          job_key text primary key,
          cancelled_at timestamptz not null default clock_timestamp()
        );
        create table sagas.workers (
          worker_id text primary key,
          beat_at timestamptz not null default clock_timestamp()
        );
      `),
  },
  {
    name: '0002-topics',
    up: (knex) =>
      knex.raw(`
        create table sagas.topics (
          consumer text not null,
          topic text not null,
          id text not null,
          primary key (consumer, topic)
        );
      `),
  },
  {
    name: '0003-open-effects',
    up: (knex) =>
      // What is open in an older system is noted as the performer reads its topic once more.
      knex.raw(`
        create table sagas.open_effects (
          stream text not null,
          key text not null,
          revision integer not null,
          noted_at timestamptz not null default clock_timestamp(),
          primary key (stream, key)
        );
        delete from sagas.progress where consumer = 'saga-performer';
      `),
  },
  {
    name: '0004-positions-and-log',
    up: (knex) =>
      knex.raw(`
        -- of the log: everything in the partition up to it was handled; null: not known
        alter table sagas.progress add column position bigint;
        create table sagas.log (
          only_row boolean primary key default true check (only_row),
          first_event_id uuid not null
        );
      `),
  },
  {
    name: '0005-parked',
    up: (knex) =>
      knex.raw(`
        -- a saga that stands still (key '': at an input or a result that it cannot fold), or one of its effects that cannot be
        -- carried out (its key): until somebody asks for a redrive
        create table sagas.parked (
          stream text not null,
          key text not null default '',
          reason text not null,
          parked_at timestamptz not null default clock_timestamp(),
          primary key (stream, key)
        );
        -- events for sagas that stand still, in the order in which they came
        create table sagas.waiting_inputs (
          stream text not null,
          number bigint generated always as identity,
          source_stream text not null,
          source_revision integer not null,
          primary key (stream, source_stream, source_revision)
        );
        ${redrivesTable('sagas')}
      `),
  },
  begunTable,
  pluginTables,
  webhookDeliveriesTables,
  modelAnswersTable,
  catchUpTable,
  generationOutcomesTable,
  modelBatchesTable,
  componentsTable,
  workflowWaitsTable,
];
