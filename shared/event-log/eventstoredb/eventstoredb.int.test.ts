import { afterAll, beforeAll } from 'vitest';
import type { Disturbance } from '../testing/whole-reads-contract.ts';
import type { Fault } from './double/faults.ts';
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

const fault = (strike: Fault, lasts: number, mend: Fault = 'thaw'): Disturbance => ({
  lasts,
  strike: async () => double?.fault(strike),
  mend: async () => double?.fault(mend),
});

eventLogContract(
  given === undefined ? 'EventStoreDB double' : 'EventStoreDB at EVENTSTOREDB_URL',
  () => createEventStoreDbLog({ connectionString: given ?? double?.connectionString ?? '' }),
  given === undefined
    ? {
        'the server freezes for a while': fault('freeze', 6_000),
        'the server freezes for longer than any read waits': fault('freeze', 14_000),
        'its connections are cut': fault('cut', 100),
        'its connections fall silent for ever': fault('half-open', 5_000),
        'the server is away': fault('away', 1_000, 'back'),
      }
    : {},
);
