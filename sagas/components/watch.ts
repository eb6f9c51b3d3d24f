import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { LOOK_SECONDS } from '@workledger/shared/read-models/components.ts';
import { isUnanswered } from '@workledger/shared/outbound/failures.ts';
import { shownState, type OutboundState } from '@workledger/shared/outbound/outbound.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { HEALTHY, howIsSystem, Unfit, type How, type Seen } from './state.ts';

/** An external system, or a program, as its health is looked at. */
export type Watched = {
  /** Rejects when it does not answer, or does not let us in, or with an `Unfit` that says what is wrong; left out: only its calls tell. */
  check?(signal: AbortSignal): Promise<void>;
  /** Of the calls that go there; left out: none do. */
  state?(): OutboundState;
  /** Default: `model` by its name, else `system`. */
  readonly kind?: Seen['kind'];
  /** Milliseconds that a check may take; default: 10,000. */
  readonly patience?: number;
};

/** One that is called, and can be checked. */
export type WatchedSystem = Watched & Required<Pick<Watched, 'check' | 'state'>>;

/** As `/health` and the reads call what is watched. */
export type Systems = Readonly<Record<string, Watched>>;

type Logger = { info(fields: object, message: string): void; warn(fields: object, message: string): void };

const CHECK_MILLISECONDS = 10_000;

export type WatchOptions = {
  readonly logger: Logger;
  readonly everyMilliseconds?: number;
  /** How parts of this process itself are, which nobody has to ask. */
  readonly own?: () => readonly Seen[];
  /** Keeps what was seen, after each look; default: nobody does. */
  readonly record?: (seen: readonly Seen[]) => Promise<void>;
};

/**
 * Looks every 30 s whether each system answers. Why one does not goes to the log, once each time that it goes down; the facts are told to
 * anybody, and hold no address and no reason.
 */
export function createWatch(
  systems: Systems,
  { logger, everyMilliseconds = 1_000 * LOOK_SECONDS, own, record }: WatchOptions,
) {
  const seen = new Map<string, { readonly up: boolean; readonly checkedAt: string }>();
  const why = new Map<string, How>();
  let isRecorded = true;

  async function look(name: string, system: Watched, signal: AbortSignal): Promise<void> {
    if (system.check === undefined) return;
    const before = seen.get(name)?.up ?? true;
    const tell = (up: boolean): unknown => seen.set(name, { up, checkedAt: new Date().toISOString() });
    try {
      const inTime = timeoutSignal(system.patience ?? CHECK_MILLISECONDS);
      await system.check(AbortSignal.any([signal, inTime]));
      tell(true);
      why.delete(name);
      if (!before) logger.info({ component: name }, 'component is up again');
    } catch (error) {
      if (signal.aborted) return;
      const how = howByError(error);
      const up = how.state === 'degraded';
      tell(up);
      why.set(name, how);
      if (before && !up) logger.warn({ component: name, reason: oneLine(error) }, 'component is down');
    }
  }

  async function keep(signal: AbortSignal): Promise<void> {
    const outside = Object.entries(systems).map(([name, { state, kind }]): Seen => {
      const found = why.get(name) ?? null;
      const how = state === undefined ? (found ?? HEALTHY) : howIsSystem(found, state());
      return { name, kind: kind ?? (name.startsWith(MODEL) ? 'model' : 'system'), ...how };
    });
    try {
      await record?.([...outside, ...(own?.() ?? [])]);
      isRecorded = true;
    } catch (error) {
      if (isRecorded && !signal.aborted)
        logger.warn({ reason: oneLine(error) }, 'how components are could not be kept: trying again');
      isRecorded = false;
    }
  }

  return {
    /** Until the signal aborts. */
    run: async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        await Promise.all(Object.entries(systems).map(([name, system]) => look(name, system, signal)));
        if (!signal.aborted) await keep(signal);
        await pause(everyMilliseconds, signal);
      }
    },
    facts: (): Readonly<Record<string, unknown>> => {
      const components = Object.entries(systems).map(([name, { state }]) => {
        return [name, { up: null, checkedAt: null, ...seen.get(name), ...(state && shownState(state())) }];
      });
      return components.length === 0 ? {} : { components: Object.fromEntries(components) as unknown };
    },
  };
}

/** How models are called among systems. */
export const MODEL = 'model ';

function howByError(error: unknown): How {
  if (error instanceof Unfit) return { state: error.state, reason: error.message };
  const reason = isSilent(error) ? 'it gives no answer that can be used' : 'it does not let us in';
  return { state: 'unavailable', reason };
}

const isSilent = (error: unknown): boolean =>
  isUnanswered(error) || (error instanceof Error && error.name === 'TimeoutError');
