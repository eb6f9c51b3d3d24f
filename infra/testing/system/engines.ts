import { findJava, kafkaJars } from '../../local/kafka/java.ts';
import { chosen, type Engine } from './engine.ts';
import { distributedOn } from './distributed.ts';
import { embedded } from './embedded.ts';

/** Whether systems with Kafka can be tried here; where they must be (WORKLEDGER_REQUIRE=1), their start will say why not. */
async function hasKafka(): Promise<boolean> {
  try {
    await findJava();
    await kafkaJars((line) => console.warn(line));
    return true;
  } catch (error) {
    if (process.env['WORKLEDGER_REQUIRE'] === '1') return true;
    console.warn(`promises are not tried on the distributed engine: ${(error as Error).message}`);
    return false;
  }
}

const here = (await hasKafka()) ? [embedded, distributedOn('distributed'), distributedOn('eventstoredb')] : [embedded];

/** Every promise is tried on each of these. */
export const engines: readonly Engine[] = chosen(here.filter(({ name }) => name !== 'eventstoredb'));

/** The same, and the log in EventStoreDB: for promises that lean on what a log does. */
export const enginesOfEveryLog: readonly Engine[] = chosen(here);
