import type { Pool, PoolClient } from 'pg';
import { keepRedriving, settleRedrive, type Redrive } from '@workledger/shared/consumption/redrives.ts';
import { FromTheFuture } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { feed } from './coordinator.ts';
import { queueOrPark, type SweepOptions } from './effects/performer.ts';
import type { WaitingInput } from './parking.ts';
import { isOwnFault } from './store.ts';

export type RedriveOptions = Omit<SweepOptions, 'sweepMilliseconds'> & {
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'readStream'>;
};

/** Tries again what operators asked for, until the signal aborts. Any number of processes may do so: one takes a saga at a time. */
export function runRedrives(options: RedriveOptions): Promise<void> {
  const { logger } = options;
  return keepRedriving({
    ...options,
    schema: 'sagas',
    attempt: (asked) => redriveAlone(asked, options),
    // What waits for an update is told where it is met first.
    onFailed: (error, redrive) => {
      if (!(error instanceof FromTheFuture)) logger.warn({ err: error, redrive }, 'redrive failed: trying again');
    },
  });
}

/** Under a lock of this database session: whoever dies gives it up. */
async function redriveAlone(redrive: Redrive, options: RedriveOptions): Promise<void> {
  const { pool, store, outages } = options;
  // A saga of a newer program is for one that knows it.
  if (store.sagaOf(redrive.stream) === null) return;
  const client = await outages.watch('postgresql', () => pool.connect());
  let isDone = false;
  try {
    if (await lock(client, redrive)) {
      await (redrive.key === '' ? redriveSaga(redrive, options) : redriveEffect(redrive, options));
      await client.query(UNLOCK, [redrive.stream]);
    }
    isDone = true;
  } finally {
    // What is closed gives its lock up.
    client.release(!isDone);
  }
}

async function lock(client: PoolClient, { name, stream, key }: Redrive): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(LOCK, [stream]);
  if (rows[0]?.mine !== true) return false;
  // Somebody may have done it before we had the lock.
  const { rowCount } = await client.query(IS_ASKED, [name, stream, key]);
  if (rowCount === 0) await client.query(UNLOCK, [stream]);
  return rowCount === 1;
}

const LOCK = `select pg_try_advisory_lock(hashtextextended('sagas.redrives ' || $1, 0)) as mine`;
const UNLOCK = `select pg_advisory_unlock(hashtextextended('sagas.redrives ' || $1, 0))`;
const IS_ASKED = `select from sagas.redrives where name = $1 and stream = $2 and key = $3`;

/** Gives a saga what waits, in order. Where it fails again it stands still there, with the rest behind; else its effects are queued. */
async function redriveSaga(redrive: Redrive, options: RedriveOptions): Promise<void> {
  const { pool, store, parking, outages, logger, signal } = options;
  const { stream } = redrive;
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  const isParked = (await inPostgres(() => parking.parked([stream]))).has(stream);
  const takeAll = async (): Promise<void> => {
    for (;;) {
      await store.load(stream);
      const waiting = await inPostgres(() => parking.waiting(stream));
      for (const input of waiting) {
        signal.throwIfAborted();
        await feed(store, stream, await read(input, options));
        await inPostgres(() => parking.taken(stream, input));
      }
      if (waiting.length === 0 && (await inPostgres(() => parking.unpark(stream)))) return;
    }
  };
  try {
    if (isParked) await takeAll();
  } catch (error) {
    if (!isOwnFault(error)) throw error;
    await inPostgres(() => parking.park(stream, error.message, null));
    logger.error({ err: error, saga: stream }, 'a saga was tried again, and stands still as before');
    return inPostgres(() => settleRedrive(pool, 'sagas', redrive));
  }
  await inPostgres(() => settleRedrive(pool, 'sagas', redrive));
  if (isParked) logger.info({ saga: stream }, 'a saga that stood still goes on');
  await queueOpen(stream, null, options);
}

/** The event of an input. @throws LogBehind when the log does not give it */
async function read({ stream, revision }: WaitingInput, { log, outages }: RedriveOptions): Promise<RecordedEvent> {
  const first = async (): Promise<RecordedEvent> => {
    for await (const event of log.readStream(stream, { from: revision, limit: 1 })) return event;
    throw new LogBehind(stream, revision, 'none');
  };
  return outages.watch('event-log', first);
}

/** Queues an effect that was given up. Whoever dies before it is queued leaves it to the sweep. */
async function redriveEffect(redrive: Redrive, options: RedriveOptions): Promise<void> {
  const { pool, parking, outages } = options;
  await outages.watch('postgresql', () => parking.unparkEffects([redrive]));
  await outages.watch('postgresql', () => settleRedrive(pool, 'sagas', redrive));
  await queueOpen(redrive.stream, redrive.key, options);
}

/** @param key of one effect; null: of all that the saga has open */
async function queueOpen(stream: string, key: string | null, options: RedriveOptions): Promise<void> {
  const open = await options.outages.watch('postgresql', () => options.openEffects.ofSaga(stream));
  for (const effect of open) if (key === null || effect.key === key) await queueOrPark(effect, options);
}
