import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { anyEvents } from '../testing/events/any-event.ts';
import { createTestDatabase, query, type TestDatabase } from '../testing/servers/database.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import {
  databaseServices,
  makeDatabaseRoles,
  roleOf,
  urlOf,
  type DatabaseService,
  type RolesOptions,
} from './database-roles.ts';

let database: TestDatabase;
let options: RolesOptions;
const prefix = `roles_${randomBytes(6).toString('hex')}`;
const password = (): string => randomBytes(12).toString('hex');
const stream = streamName('task', newId());

beforeAll(async () => {
  database = await createTestDatabase();
  // As an earlier version left it: all belongs to one user, and there are events.
  await migrateReadModels(database.url);
  const log = await createPostgresEventLog({ connectionString: database.url });
  await log.append(stream, anyEvents(2), 'none');
  await log.close();
  const passwords = Object.fromEntries(databaseServices.map((service) => [service, password()])) as RolesOptions['passwords']; // prettier-ignore
  options = { ownerUrl: database.url, passwords, prefix };
  await makeDatabaseRoles(options);
});
afterAll(async () => {
  const server = database.pool.options.connectionString ?? '';
  await database.drop();
  const base = Object.assign(new URL(server), { pathname: '/postgres' }).toString();
  for (const service of databaseServices) await query(base, `drop role if exists ${roleOf(service, prefix)}`);
});

const as = (service: DatabaseService, sql: string): Promise<Record<string, unknown>[]> =>
  query(urlOf(service, options), sql);
const codeOf = (service: DatabaseService, sql: string): Promise<unknown> =>
  as(service, sql).then(
    () => 'done',
    (error: unknown) => (error as pg.DatabaseError).code,
  );
const FORBIDDEN = '42501';

it('does the same again, also two at once', async () => {
  await Promise.all([makeDatabaseRoles(options), makeDatabaseRoles(options)]);
  expect(await as('relay', 'select count(*)::integer as count from event_log.events')).toEqual([{ count: 2 }]);
});

it('nothing of a room belongs to another role', async () => {
  const owners = await query(
    database.url,
    `select distinct nspname || ' ' || pg_get_userbyid(relowner) as owned from pg_class c join pg_namespace n on n.oid = relnamespace
     where nspname in ('command_service', 'relay', 'read_models', 'sagas', 'graphile_worker', 'event_log', 'artefacts') and relkind in ('r', 'v', 'S')`,
  );
  const { username } = new URL(database.url);
  expect(owners.map(({ owned }) => owned).sort()).toEqual(
    [
      `artefacts ${username}`,
      `event_log ${username}`,
      `command_service ${roleOf('command-service', prefix)}`,
      `graphile_worker ${roleOf('sagas', prefix)}`,
      `read_models ${roleOf('projections', prefix)}`,
      `relay ${roleOf('relay', prefix)}`,
      `sagas ${roleOf('sagas', prefix)}`,
    ].sort(),
  );
});

describe('the log', () => {
  it.each(['command-service', 'sagas'] as const)('%s appends and reads', async (service) => {
    const log = await createPostgresEventLog({ connectionString: urlOf(service, options) });
    expect((await log.append(streamName('task', newId()), anyEvents(3), 'none')).revision).toBe(2);
    await log.close();
  });

  it.each(['relay', 'projections', 'query-service'] as const)('%s reads, and appends nothing', async (service) => {
    const log = await createPostgresEventLog({ connectionString: urlOf(service, options) });
    expect(await log.head()).toBeGreaterThanOrEqual(2n);
    await expect(log.append(streamName('task', newId()), anyEvents(1), 'none')).rejects.toThrow(/permission denied/);
    await log.close();
  });

  it.each(databaseServices)('%s changes and removes nothing', async (service) => {
    const tries = [
      "update event_log.events set data = '{}'",
      'delete from event_log.events',
      'truncate event_log.events',
      'alter table event_log.events disable trigger events_are_final',
      'drop trigger events_are_final on event_log.events',
      'create or replace function event_log.refuse_change() returns trigger language plpgsql as $$ begin return null; end $$',
    ];
    expect(await Promise.all(tries.map((sql) => codeOf(service, sql)))).toEqual(tries.map(() => FORBIDDEN));
  });

  it('its owner neither', async () => {
    await expect(query(database.url, 'delete from event_log.events')).rejects.toThrow('never changed or removed');
  });
});

it('each does what it does every day', async () => {
  await migrateReadModels(urlOf('projections', options));
  await migrate(urlOf('command-service', options), 'command_service', commandServiceMigrations);
  // A new table of a read model is readable at once.
  await as(
    'projections',
    'create table read_models.tasks_v9 (id text); create view read_models.news as select * from read_models.tasks_v9',
  );
  expect(await codeOf('query-service', 'select from read_models.news')).toBe('done');
  expect(await codeOf('command-service', 'select from read_models.tasks')).toBe('done');
  const redrive = (schema: string): string =>
    `insert into ${schema}.redrives (name, stream, key, requested_by) values ('n', 's', '', 'me') on conflict do nothing`;
  for (const schema of ['read_models', 'sagas']) expect(await codeOf('command-service', redrive(schema))).toBe('done');
  expect(await codeOf('sagas', "select graphile_worker.add_job('perform-call', '{}')")).toBe('done');
  expect(await codeOf('query-service', "select to_regclass('sagas.parked'), (select count(*) from sagas.waiting_inputs)")).toBe('done'); // prettier-ignore
  expect(await codeOf('command-service', "insert into command_service.secrets values ('s', 'api-key', 'i', 'h')")).toBe(
    'done',
  );
  expect(await as('query-service', "select hash from command_service.secrets where subject = 's'")).toEqual([{ hash: 'h' }]); // prettier-ignore
  expect(await codeOf('command-service', 'delete from command_service.secrets')).toBe('done');
  expect(await codeOf('sagas', 'select secret from command_service.webhook_secrets')).toBe('done');
  expect(await codeOf('query-service', 'select from sagas.webhook_deliveries, sagas.webhooks, sagas.components')).toBe(
    'done',
  );
  const pool = new pg.Pool({ connectionString: urlOf('sagas', options), max: 1 });
  expect(await createPostgresArtefacts(pool).put(Buffer.from('one'), 'text/plain')).toBeDefined();
  await pool.end();
});

it.each([
  ['query-service', 'insert into read_models.tasks_v1 (id) values (1)'],
  ['query-service', 'delete from read_models.progress'],
  ['query-service', 'select from graphile_worker._private_jobs'],
  ['query-service', "insert into artefacts.artefacts values ('d', 't', '')"],
  ['query-service', 'create table public.mine (id text)'],
  ['query-service', 'create schema mine'],
  ['query-service', 'create temporary table mine (id text)'],
  ['query-service', 'select from command_service.snapshots'],
  ['query-service', "insert into command_service.secrets values ('s', 'api-key', 'i', 'h')"],
  ['query-service', "update command_service.secrets set hash = 'mine'"],
  ['query-service', 'delete from command_service.secrets'],
  ['query-service', 'truncate command_service.secrets'],
  ['relay', 'select from command_service.secrets'],
  ['projections', 'select from command_service.secrets'],
  ['sagas', 'select from command_service.secrets'],
  ['sagas', 'delete from command_service.webhook_secrets'],
  ['query-service', 'select from command_service.webhook_secrets'],
  ['query-service', 'update sagas.webhook_deliveries set attempts = 0'],
  ['command-service', 'select from sagas.webhook_deliveries'],
  ['query-service', "update sagas.components set state = 'healthy'"],
  ['command-service', 'delete from artefacts.artefacts'],
  ['command-service', "update read_models.tasks_v1 set state = 'complete'"],
  ['command-service', 'delete from sagas.redrives'],
  ['command-service', "select graphile_worker.add_job('perform-call', '{}')"],
  ['command-service', 'select from relay.leader'],
  ['relay', 'select from read_models.tasks'],
  ['relay', 'select from artefacts.artefacts'],
  ['projections', 'select from command_service.heartbeats'],
  ['projections', 'select from artefacts.artefacts'],
  ['projections', 'update relay.leader set epoch = 0'],
  ['sagas', 'select from read_models.tasks'],
  ['sagas', 'select from command_service.heartbeats'],
  ['sagas', 'delete from public.migrations_event_log'],
  ['sagas', 'select from pg_authid'],
] as const)('%s may not: %s', async (service, sql) => expect(await codeOf(service, sql)).toBe(FORBIDDEN));

it('a program that needs newer tables of another says so, and changes nothing', async () => {
  const newer = [...commandServiceMigrations, { name: '9999-newer', up: async () => undefined }];
  await expect(migrate(urlOf('relay', options), 'event_log', newer.slice(-1))).rejects.toThrow(/newer version/);
  await expect(migrate(urlOf('relay', options), 'made_up', newer.slice(-1))).rejects.toThrow(
    /the tables of "made_up" are not as this program needs them.*database-roles\.program\.ts/,
  );
});

it('needs no superuser: who owns the database and may make roles can do it', async () => {
  const own = await createTestDatabase();
  const owner = `owner_${randomBytes(6).toString('hex')}`;
  const secret = password();
  await query(own.url, `create role ${owner} login createrole password '${secret}'`);
  await query(own.url, `alter database ${new URL(own.url).pathname.slice(1)} owner to ${owner}`);
  const ownerUrl = Object.assign(new URL(own.url), { username: owner, password: secret }).toString();
  const theirs = { ...options, ownerUrl, prefix: owner };
  try {
    await makeDatabaseRoles(theirs);
    await makeDatabaseRoles(theirs);
    const log = await createPostgresEventLog({ connectionString: urlOf('sagas', theirs) });
    expect((await log.append(streamName('task', newId()), anyEvents(1), 'none')).revision).toBe(0);
    await log.close();
    await expect(query(urlOf('relay', theirs), 'delete from event_log.events')).rejects.toMatchObject({ code: FORBIDDEN }); // prettier-ignore
  } finally {
    await own.drop();
    const roles = [...databaseServices.map((service) => roleOf(service, owner)), owner];
    for (const role of roles) await query(database.url, `drop role if exists ${role}`);
  }
});

it('refuses a password that is short, and a wrong one', async () => {
  const short = { ...options, passwords: { ...options.passwords, relay: 'short' } };
  await expect(makeDatabaseRoles(short)).rejects.toThrow(/12 or more/);
  const wrong = { ...options, passwords: { ...options.passwords, relay: password() } };
  await expect(query(urlOf('relay', wrong), 'select 1')).rejects.toMatchObject({ code: '28P01' });
});
