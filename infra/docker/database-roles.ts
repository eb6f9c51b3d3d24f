import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { relayMigrations } from '@workledger/command-service/relay/migrations.ts';
import { readModels } from '@workledger/projections/migrations.ts';
import { openEffectQueue } from '@workledger/sagas/engine/effects/queue.ts';
import { sagaMigrations } from '@workledger/sagas/engine/migrations.ts';
import { artefactTables } from '@workledger/shared/artefacts/postgres/migrations.ts';
import { logVariables } from '@workledger/shared/config/service-environment.ts';
import { eventLogMigrations } from '@workledger/shared/event-log/postgres/migrations.ts';
import { migrate, type SqlSchema } from '@workledger/shared/migrations/migrate.ts';
import { createDatabasePool, databaseConnection } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';

/** Who has which SQL schemas, and the lists of their migrations. */
const OWNED = {
  'command-service': ['command_service'],
  relay: ['relay'],
  projections: ['read_models'],
  sagas: ['sagas', 'graphile_worker'],
  'query-service': [],
} as const;

export type DatabaseService = keyof typeof OWNED;
export const databaseServices = Object.keys(OWNED) as DatabaseService[];

export const roleOf = (service: DatabaseService, prefix = 'workledger'): string =>
  `${prefix}_${service.replaceAll('-', '_')}`;

export const passwordVariable = (service: DatabaseService): string =>
  `WORKLEDGER_${service.toUpperCase().replaceAll('-', '_')}_PASSWORD`;

/** What the program reads: the owner's address, and a password a role. */
export const rolesVariables = {
  DATABASE_URL: logVariables.DATABASE_URL,
  DATABASE_PASSWORD_FILE: logVariables.DATABASE_PASSWORD_FILE,
  DATABASE_TLS: logVariables.DATABASE_TLS,
  ...(Object.fromEntries(
    databaseServices.map((service) => [
      passwordVariable(service),
      z
        .string()
        .min(1)
        .describe(`password of role ${roleOf(service)}`),
    ]),
  ) as Record<string, z.ZodString>),
};

/** Of all rooms: who makes the roles makes the tables, or nothing could be granted on them. Events and artefacts stay their maker's. */
const SCHEMAS: readonly SqlSchema[] = [
  { name: 'event_log', migrations: eventLogMigrations },
  artefactTables,
  { name: 'command_service', migrations: commandServiceMigrations },
  { name: 'relay', migrations: relayMigrations },
  readModels,
  { name: 'sagas', migrations: sagaMigrations },
];

/** What a service may do with what is not its own; all else is refused. */
const grants = (role: (service: DatabaseService) => string): readonly string[] => {
  const [commands, sagas, queries, projections] = [
    role('command-service'),
    role('sagas'),
    role('query-service'),
    role('projections'),
  ];
  const all = databaseServices.map(role).join(', ');
  return [
    `grant usage on schema event_log to ${all}`,
    `grant select on event_log.events, event_log.head to ${all}`,
    `grant insert on event_log.events to ${commands}, ${sagas}`,
    `grant select on public.migrations_event_log, public.migrations_artefacts to ${all}`,
    `grant usage on schema artefacts to ${commands}, ${sagas}, ${queries}`,
    `grant select on artefacts.artefacts to ${commands}, ${sagas}, ${queries}`,
    `grant insert on artefacts.artefacts to ${commands}, ${sagas}`,
    `grant usage on schema read_models, sagas to ${commands}, ${queries}`,
    `grant select on all tables in schema read_models to ${commands}, ${queries}`,
    `alter default privileges for role ${projections} in schema read_models grant select on tables to ${commands}, ${queries}`,
    `grant select on sagas.parked, sagas.waiting_inputs to ${commands}, ${queries}`,
    `grant usage on schema command_service to ${queries}`,
    `grant select on command_service.progress, command_service.heartbeats, command_service.knowledge_usage to ${queries}`,
    // Requests are authenticated there, too.
    `grant select on command_service.secrets to ${queries}`,
    `grant insert on read_models.redrives, sagas.redrives to ${commands}`,
    `grant select on sagas.webhooks, sagas.webhook_deliveries, sagas.components to ${queries}`,
    // What is sent is signed there.
    `grant usage on schema command_service to ${sagas}`,
    `grant select on command_service.webhook_secrets to ${sagas}`,
  ];
};

export type RolesOptions = {
  /** Of the database, as its owner: a superuser, or who may make roles. */
  readonly ownerUrl: string;
  readonly passwords: Readonly<Record<DatabaseService, string>>;
  /** Roles are `<prefix>_<service>`, for all databases of the server; default: workledger. */
  readonly prefix?: string;
};

/** The owner's address with a service's role and password in it. */
export function urlOf(service: DatabaseService, { ownerUrl, passwords, prefix }: RolesOptions): string {
  const url = new URL(ownerUrl);
  url.username = roleOf(service, prefix);
  url.password = encodeURIComponent(passwords[service]);
  return url.toString();
}

/**
 * Makes a role a service, brings all tables up to date, and hands to each role what is its own, with the rights that it needs of
 * the rest. Does the same again however often, and takes over a database in which all belonged to one user.
 * @throws RangeError on a prefix that is no plain name; Error when the owner may not do so
 */
export async function makeDatabaseRoles(options: RolesOptions): Promise<void> {
  const { ownerUrl, passwords, prefix } = options;
  if (!/^[a-z_][a-z0-9_]{0,40}$/.test(prefix ?? 'workledger'))
    throw new RangeError(`roles "${prefix}_…": use lower-case letters, digits and underscores`);
  for (const { name, migrations } of SCHEMAS) await migrate(ownerUrl, name, migrations);
  await migrateQueue(ownerUrl);
  const role = (service: DatabaseService): string => roleOf(service, prefix);
  const client = new pg.Client(
    databaseConnection({ connectionString: ownerUrl, applicationName: 'workledger roles', queryTimeout: null }),
  );
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    for (const service of databaseServices) await makeRole(client, role(service), passwords[service]);
    const all = databaseServices.map(role).join(', ');
    const database = await databaseName(client);
    // Only until the end of this transaction: nothing is handed over, but by a superuser, to who could not make it.
    await client.query(`grant create on database ${database} to ${all}; grant create on schema public to ${all}`);
    for (const service of databaseServices) await handOver(client, OWNED[service], role(service));
    await client.query(`revoke create on database ${database} from ${all}; revoke create on schema public from ${all}`);
    await closeDatabase(client, database, all);
    for (const grant of grants(role)) await client.query(grant);
    await client.query('commit');
  } finally {
    await client.end();
  }
}

/** Two at once would trip over each other's changes of the same role. */
const LOCK = 7_216_054_318_212_002n;

async function migrateQueue(ownerUrl: string): Promise<void> {
  const logger = createLogger({ service: 'roles', level: 'silent' });
  const pool = createDatabasePool({ connectionString: ownerUrl, max: 2, applicationName: 'workledger roles' });
  try {
    const queue = await openEffectQueue(pool, logger, createOutages(logger));
    await queue.close();
  } finally {
    await pool.end();
  }
}

async function makeRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  if (rowCount === 0) await client.query(`create role ${role}`);
  await client.query(`alter role ${role} with login password '${scramVerifier(password)}'`);
  // A role that was there may have been given more; only a superuser may take that.
  const { rows } = await client.query<{ mayMore: boolean; bySuperuser: boolean }>(MAY_MORE, [role]);
  if (rows[0]?.mayMore !== false)
    await client.query(`alter role ${role} with nosuperuser nocreatedb nocreaterole noreplication nobypassrls`);
  // Who is none may hand over only to roles of which it is a member.
  if (rows[0]?.bySuperuser !== true) await client.query(`grant ${role} to current_user`);
}

const MAY_MORE = `
  select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as "mayMore",
    (select rolsuper from pg_roles where rolname = current_user) as "bySuperuser"
  from pg_roles where rolname = $1`;

const ITERATIONS = 4_096;

/** What the server keeps of a password: the password itself would stand in its log. Source: RFC 5803 */
function scramVerifier(password: string): string {
  if (!/^[\x21-\x7e]{12,200}$/.test(password))
    throw new RangeError('a password for a role of PostgreSQL: use 12 or more letters, digits and signs of ASCII');
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}

async function databaseName(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select quote_ident(current_database()) as name');
  return rows[0]?.name ?? '';
}

/** Nobody comes in or makes anything whom nothing was granted. */
async function closeDatabase(client: pg.Client, database: string, all: string): Promise<void> {
  await client.query(`revoke all on database ${database} from public`);
  await client.query(`grant connect on database ${database} to ${all}`);
  await client.query('revoke create on schema public from public');
}

/** Of the named schemas and their lists of migrations: statements for all that does not belong to the role yet. */
const FOREIGN = `
  with mine as (select oid, nspname from pg_namespace where nspname = any ($1))
  select format('alter schema %I owner to %I', n.nspname, $2::text) as statement
  from pg_namespace n join mine using (oid) where pg_get_userbyid(n.nspowner) <> $2
  union all
  select format('alter %s %I.%I owner to %I',
    case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' when 'c' then 'type' else 'table' end,
    n.nspname, c.relname, $2)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'S', 'c') and pg_get_userbyid(c.relowner) <> $2
    and (n.nspname = any ($1) or n.nspname = 'public' and c.relname in (
      select 'migrations_' || name || ending from unnest($1::text[]) as name, unnest(array['', '_lock']) as ending))
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and c.relkind = 'S' and d.deptype in ('a', 'i'))
  union all
  select format('alter routine %s owner to %I', p.oid::regprocedure, $2)
  from pg_proc p join mine on mine.oid = p.pronamespace where pg_get_userbyid(p.proowner) <> $2
  union all
  select format('alter type %I.%I owner to %I', mine.nspname, t.typname, $2)
  from pg_type t join mine on mine.oid = t.typnamespace
  where t.typtype in ('e', 'd', 'r') and pg_get_userbyid(t.typowner) <> $2`;

async function handOver(client: pg.Client, schemas: readonly string[], role: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(FOREIGN, [schemas, role]);
  for (const { statement } of rows) await client.query(statement);
}
