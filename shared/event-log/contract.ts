import { afterAll, beforeAll, describe } from 'vitest';
import type { EventLog } from './port.ts';
import { appendContract } from './testing/append-contract.ts';
import { limitsContract } from './testing/limits-contract.ts';
import { readContract } from './testing/read-contract.ts';
import { subscribeContract } from './testing/subscribe-contract.ts';
import { wholeReadsContract, type Disturbance } from './testing/whole-reads-contract.ts';
import { writersContract } from './testing/writers-contract.ts';

/**
 * What every adapter of the event log does. Runs on a log that others use, too: each test has streams of its own.
 * @param makeLog opens the log once more, as another process would
 * @param disturb what can befall it here, by name; default: nothing
 */
export function eventLogContract(
  name: string,
  makeLog: () => Promise<EventLog>,
  disturb: Readonly<Record<string, Disturbance>> = {},
): void {
  describe(`event log: ${name}`, () => {
    let log: EventLog;
    let other: EventLog;
    beforeAll(async () => {
      log = await makeLog();
      other = await makeLog();
    });
    afterAll(async () => {
      await log.close();
      await other.close();
    });
    appendContract(() => log);
    limitsContract(() => log);
    readContract(() => log);
    subscribeContract(() => log);
    writersContract(() => [log, other]);
    wholeReadsContract(makeLog, disturb);
  });
}
