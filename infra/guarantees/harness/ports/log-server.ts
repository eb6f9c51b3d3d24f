import { startDouble } from '@workledger/shared/event-log/eventstoredb/double/start-double.ts';

export type LogServer = { readonly address: string; stop(): Promise<void> };

/**
 * Where an engine's log is: in a database of the test's own; or in EventStoreDB, the real one that EVENTSTOREDB_URL names, else the
 * double in a process of its own.
 */
export async function startLogServer(engine: string, databaseUrl: string): Promise<LogServer> {
  if (engine !== 'eventstoredb') return { address: databaseUrl, stop: () => Promise.resolve() };
  const given = process.env['EVENTSTOREDB_URL'];
  if (given !== undefined) return { address: given, stop: () => Promise.resolve() };
  const double = await startDouble();
  return { address: double.connectionString, stop: () => double.close() };
}
