import { describeWithKafka } from '../servers/kafka.ts';
import { describe } from 'vitest';
import { chosen } from './chosen-engines.ts';
import { embedded } from './ports/embedded.ts';
import { onKafka } from './ports/on-kafka.ts';
import type { PortEngine } from './ports/port-engine.ts';

export type { Ports } from './ports/port-engine.ts';

/** Those with Kafka where the run has one; its set-up says when not. */
const here: readonly PortEngine[] =
  describeWithKafka === describe ? [embedded, onKafka('distributed'), onKafka('eventstoredb')] : [embedded];

/** Every engine that the promises are held on. */
export const portEngines: readonly PortEngine[] = chosen(here.filter(({ name }) => name !== 'eventstoredb'));

/** The same, and the log in EventStoreDB: for promises that lean on what a log does. */
export const portEnginesOfEveryLog: readonly PortEngine[] = chosen(here);
