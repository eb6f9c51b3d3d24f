import { afterAll, beforeAll } from 'vitest';
import { eventLogContract } from '../contract.ts';
import type { DoubleServer } from './double/server.ts';
import { startDouble } from './double/start-double.ts';
import { createEventStoreDbLog } from './event-log.ts';

/** A real server, when the environment names one; else the double. */
const given = process.env['EVENTSTOREDB_URL'];

let double: DoubleServer | null = null;
beforeAll(async () => {
  if (given === undefined) double = await startDouble();
});
afterAll(() => double?.close());

eventLogContract(given === undefined ? 'EventStoreDB double' : 'EventStoreDB at EVENTSTOREDB_URL', () =>
  createEventStoreDbLog({ connectionString: given ?? double?.connectionString ?? '' }),
);
