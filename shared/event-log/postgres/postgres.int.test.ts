import { afterAll, beforeAll } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { eventLogContract } from '../contract.ts';
import { createPostgresEventLog } from './event-log.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

eventLogContract('postgres', () => createPostgresEventLog({ connectionString: database.url }));
