import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { LOOK_SECONDS } from '@workledger/shared/read-models/components.ts';
import { isUnanswered } from '@workledger/shared/outbound/failures.ts';
import { shownState, type OutboundState } from '@workledger/shared/outbound/outbound.ts';
import { howIsSystem, type Seen } from './state.ts';

/** An external system, as its health is looked at. */
export type Watched = {
  /** Rejects when it does not answer, or does not let us in; left out: only its calls tell how it is. */
  check?(signal: AbortSignal): Promise<void>;
  state(): OutboundState;
};

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
  systems: Readonly<Record<string, Watched>>,
  { logger, everyMilliseconds = 1_000 * LOOK_SECONDS, own, record }: WatchOptions,
) {
  const seen = new Map<string, { readonly up: boolean; readonly checkedAt: string }>();
  const why = new Map<string, string>();
  let isRecorded = true;

  async function look(name: string, { check }: Watched, signal: AbortSignal): Promise<void> {
    if (check === undefined) return;
    const before = seen.get(name)?.up ?? true;
    const tell = (up: boolean): unknown => seen.set(name, { up, checkedAt: new Date().toISOString() });
    try {
      await check(AbortSignal.any([signal, AbortSignal.timeout(CHECK_MILLISECONDS)]));
      tell(true);
      why.delete(name);
      if (!before) logger.info({ component: name }, 'component is up again');
    } catch (error) {
      if (signal.aborted) return;
      tell(false);
      why.set(name, isSilent(error) ? 'it gives no answer that can be used' : 'it does not let us in');
      if (before) logger.warn({ component: name, reason: oneLine(error) }, 'component is down');
    }
  }

  async function keep(signal: AbortSignal): Promise<void> {
    const outside = Object.entries(systems).map(([name, { state }]): Seen => {
      const kind = name.startsWith(MODEL) ? 'model' : 'system';
      return { name, kind, ...howIsSystem(why.get(name) ?? null, state()) };
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
        return [name, { up: null, checkedAt: null, ...seen.get(name), ...shownState(state()) }];
      });
      return components.length === 0 ? {} : { components: Object.fromEntries(components) as unknown };
    },
  };
}

/** How models are called among systems. */
export const MODEL = 'model ';

const isSilent = (error: unknown): boolean =>
  isUnanswered(error) || (error instanceof Error && error.name === 'TimeoutError');
