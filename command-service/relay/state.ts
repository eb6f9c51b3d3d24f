import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { contexts, streamTypesOf } from '@workledger/shared/events/catalogue.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';

/** For health and metrics; as it is, it is JSON. */
export type RelayState = {
  readonly role: 'leader' | 'standby';
  readonly epoch: number;
  /** Position up to which all is published. */
  readonly checkpoint: string;
  /** Positions from there to the log's head; on a log whose positions count bytes, bytes. */
  readonly lagPositions: number;
  /** Age of the oldest event that is not yet published; 0 when there is none. */
  readonly lagSeconds: number;
  /** Why it must not lead, if so. */
  readonly problem?: string;
};

export type Standing = {
  readonly role: RelayState['role'];
  readonly epoch: bigint;
  readonly checkpoint: bigint;
  readonly problem: string | null;
};

export type StateReporter = {
  /** What is known at once; the lag follows with the next measurement. */
  set(standing: Partial<Standing>): void;
  readonly done: Promise<void>;
};

const INTERVAL = 1_000;

/** Measures the lag every second, and tells the state then and when the role changes. */
export function reportState(
  log: Pick<EventLog, 'head' | 'readAll'>,
  onState: (state: RelayState) => void,
  signal: AbortSignal,
): StateReporter {
  let standing: Standing = { role: 'standby', epoch: 0n, checkpoint: 0n, problem: null };
  let lag: Lag = { positions: 0n, oldest: null };

  const tell = (): void =>
    onState({
      role: standing.role,
      epoch: Number(standing.epoch),
      checkpoint: String(standing.checkpoint),
      lagPositions: Number(lag.positions),
      lagSeconds: lag.oldest === null ? 0 : Math.max(0, (Date.now() - lag.oldest.getTime()) / 1000),
      ...(standing.problem !== null && { problem: standing.problem }),
    });

  let measuring: Promise<void> | null = null;
  const measure = async (): Promise<void> => {
    try {
      lag = await measureLag(log, standing.checkpoint, signal);
    } catch {
      // While the log is away, what was oldest grows older.
    } finally {
      measuring = null;
    }
  };

  const keepMeasuring = async (): Promise<void> => {
    while (!signal.aborted) {
      // A log that froze is not asked again before it has answered.
      measuring ??= measure();
      await withDeadline(measuring, 2 * INTERVAL, 'measuring the lag').catch(() => undefined);
      tell();
      await pause(INTERVAL, signal);
    }
  };

  return {
    set: (change) => {
      const isNewRole = change.role !== undefined && change.role !== standing.role;
      standing = { ...standing, ...change };
      if (isNewRole) tell();
    },
    done: keepMeasuring(),
  };
}

export type Lag = {
  /** How far the log's head is ahead of the checkpoint. */
  readonly positions: bigint;
  /** When the oldest event was recorded that is not yet published; null when there is none. */
  readonly oldest: Date | null;
};

const published = contexts.flatMap(streamTypesOf);

/** How far a checkpoint is behind the log. */
async function measureLag(
  log: Pick<EventLog, 'head' | 'readAll'>,
  checkpoint: bigint,
  signal: AbortSignal,
): Promise<Lag> {
  const head = await log.head();
  if (head <= checkpoint) return { positions: 0n, oldest: null };
  const positions = head - checkpoint;
  for await (const event of log.readAll({ after: checkpoint, until: head, streams: published, signal }))
    return { positions, oldest: event.recordedAt };
  return { positions, oldest: null };
}
