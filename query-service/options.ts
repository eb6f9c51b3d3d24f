import type { Pool } from 'pg';
import type { Artefacts } from '@workledger/shared/artefacts/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { WakeUps } from '@workledger/shared/resilience/wake-ups.ts';

export type QueryOptions = {
  /** Reads schema `read_models`. */
  readonly pool: Pool;
  readonly log: EventLog;
  readonly artefacts: Artefacts;
  /** Seconds after which a waiting task counts as one priority more urgent. */
  readonly ageingSeconds: number;
  /** Milliseconds that a query waits for its consistency token; default 5,000. */
  readonly waitMilliseconds?: number;
  /** Told by projections, in this process or another one; without it a waiting query only looks again and again. */
  readonly wakeUps?: WakeUps;
};
