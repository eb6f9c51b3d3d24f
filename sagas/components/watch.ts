import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { OutboundState } from './outbound/outbound.ts';

/** An external system, as its health is looked at. */
export type Watched = {
  /** Rejects when it does not answer, or does not let us in. */
  check(signal: AbortSignal): Promise<void>;
  state(): OutboundState;
};

type Logger = { info(fields: object, message: string): void; warn(fields: object, message: string): void };

const EVERY_MILLISECONDS = 30_000;
const CHECK_MILLISECONDS = 10_000;

/**
 * Looks every 30 s whether each system answers. Why one does not goes to the log, once each time that it goes down; the facts are told to
 * anybody, and hold no address and no reason.
 */
export function createWatch(
  systems: Readonly<Record<string, Watched>>,
  { logger, everyMilliseconds = EVERY_MILLISECONDS }: { readonly logger: Logger; readonly everyMilliseconds?: number },
) {
  const seen = new Map<string, { readonly up: boolean; readonly checkedAt: string }>();

  async function look(name: string, { check }: Watched, signal: AbortSignal): Promise<void> {
    const before = seen.get(name)?.up ?? true;
    const tell = (up: boolean): unknown => seen.set(name, { up, checkedAt: new Date().toISOString() });
    try {
      await check(AbortSignal.any([signal, AbortSignal.timeout(CHECK_MILLISECONDS)]));
      tell(true);
      if (!before) logger.info({ component: name }, 'component is up again');
    } catch (error) {
      if (signal.aborted) return;
      tell(false);
      if (before) logger.warn({ component: name, reason: oneLine(error) }, 'component is down');
    }
  }

  return {
    /** Until the signal aborts. */
    run: async (signal: AbortSignal): Promise<void> => {
      const all = Object.entries(systems);
      while (!signal.aborted && all.length > 0) {
        await Promise.all(all.map(([name, system]) => look(name, system, signal)));
        await pause(everyMilliseconds, signal);
      }
      // What runs all the time ends with the process, also where there is nothing to look at.
      if (all.length === 0 && !signal.aborted)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
    facts: (): Readonly<Record<string, unknown>> => {
      const components = Object.entries(systems).map(([name, { state }]) => {
        const { lastFailure, ...now } = state();
        return [name, { up: null, checkedAt: null, ...seen.get(name), ...now, lastFailureAt: lastFailure?.at ?? null }];
      });
      return components.length === 0 ? {} : { components: Object.fromEntries(components) as unknown };
    },
  };
}
