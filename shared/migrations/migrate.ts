import knex, { type Knex } from 'knex';
import pg from 'pg';
import { databaseConnection } from '../resilience/database-pool.ts';

/** One step forward, in a transaction; there is no way back. */
export type Migration = { readonly name: string; up(knex: Knex): Promise<void> };

/** The tables of one room. @see migrate */
export type SqlSchema = { readonly name: string; readonly migrations: readonly Migration[] };

/** The database was brought further by a newer program: this one cannot know what its tables mean now. */
export class NewerDatabase extends Error {
  override name = 'NewerDatabase';
  constructor(schema: string, unknown: readonly string[]) {
    super(
      `the tables of "${schema}" are from a newer version (${unknown.join(', ')}): this program is older than its database; update it`,
    );
  }
}

/** Any number will do, as long as it never changes: all rooms and all processes of a database share it. */
const LOCK = 7_216_054_318_212_001n;

/**
 * Brings one room's tables up to date. Processes that start together wait for each other; what already ran is skipped.
 * @param name of the room, in lower-case letters and underscores: its list is kept in `public.migrations_<name>`
 * @param migrations numbered, in order; a name that was released never changes
 * @throws NewerDatabase when the database knows migrations that this program does not; Error when a migration fails (all of this call
 *   are rolled back)
 */
export const migrate = (connectionString: string, name: string, migrations: readonly Migration[]): Promise<void> =>
  migrateAll(connectionString, [{ name, migrations }]);

/** Brings the tables of several rooms up to date, one after the other. @see migrate */
export async function migrateAll(connectionString: string, schemas: readonly SqlSchema[]): Promise<void> {
  for (const { name } of schemas)
    if (!/^[a-z_]{1,40}$/.test(name))
      throw new RangeError(`migrations "${name}": use lower-case letters and underscores`);
  const guard = new pg.Client(unlimited(connectionString));
  guard.on('error', () => undefined);
  await guard.connect();
  try {
    await guard.query('select pg_advisory_lock($1)', [LOCK]);
    for (const { name, migrations } of schemas) {
      const known = await knownMigrations(guard, name);
      refuseNewer(name, migrations, known ?? []);
      // Who may only look at these tables has nothing to do, and asks for nothing.
      if (known !== null && migrations.every((migration) => known.includes(migration.name))) continue;
      await runAll(connectionString, name, migrations).catch((error: unknown) => {
        throw isForbidden(error) ? tablesOfAnother(name, error) : error;
      });
    }
  } finally {
    await guard.end();
  }
}

/** Others may be at it, and what is moved may be much. */
const unlimited = (connectionString: string) =>
  databaseConnection({ connectionString, applicationName: 'workledger migrations', queryTimeout: null });

/** Names of what ran; null: the list is not there yet. */
async function knownMigrations(database: pg.Client, name: string): Promise<readonly string[] | null> {
  const table = `public.migrations_${name}`;
  const { rows: found } = await database.query<{ is: boolean }>('select to_regclass($1) is not null as is', [table]);
  if (found[0]?.is !== true) return null;
  const { rows } = await database.query<{ name: string }>(`select name from ${table} order by id`);
  return rows.map((row) => row.name);
}

function refuseNewer(name: string, migrations: readonly Migration[], known: readonly string[]): void {
  const newer = known.filter((ran) => !migrations.some((migration) => migration.name === ran));
  if (newer.length > 0) throw new NewerDatabase(name, newer);
}

const isForbidden = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '42501';

const tablesOfAnother = (name: string, cause: unknown): Error =>
  new Error(
    `the tables of "${name}" are not as this program needs them, and its user may not change them: ` +
      'run infra/docker/database-roles.program.ts of this version as their owner',
    { cause },
  );

async function runAll(connectionString: string, name: string, migrations: readonly Migration[]): Promise<void> {
  const database = knex({
    client: 'pg',
    connection: unlimited(connectionString),
    pool: { min: 0, max: 2 },
    log: silent,
  });
  const configuration: Knex.MigratorConfig = {
    tableName: `migrations_${name}`,
    schemaName: 'public',
    migrationSource: sourceOf(migrations),
  };
  try {
    // knex's own lock is a row that a killed process leaves behind. Under our lock nobody else can hold it.
    await database.migrate.forceFreeMigrationsLock(configuration);
    await database.migrate.latest(configuration);
  } finally {
    await database.destroy();
  }
}

// What fails is thrown; knex would print it as well.
const silent = { warn: () => undefined, error: () => undefined, debug: () => undefined, deprecate: () => undefined };

const sourceOf = (migrations: readonly Migration[]): Knex.MigrationSource<Migration> => ({
  getMigrations: async () => [...migrations],
  getMigrationName: (migration) => migration.name,
  getMigration: async ({ up, name }) => ({
    up: (transaction) => up(transaction),
    down: () => Promise.reject(new Error(`migration ${name}: there is no way back`)),
  }),
});
