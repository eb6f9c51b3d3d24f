import { oneLine } from '../telemetry/one-line.ts';
import type { PluginContext } from './plugin.ts';

/** A plugin failed, or is at rest for having failed: nobody else did. */
export class PluginFailure extends Error {
  override name = 'PluginFailure';
}

/** As the breaker of components, for what answers at once, too: after so many failures in a row a part rests, milliseconds. */
const FAILURES = 5;
const REST_MILLISECONDS = 30_000;

/** How a part stands that failed last: after its rest one call may try. */
export type PartState = { readonly state: 'failing' | 'resting'; readonly reason: string };

export type Isolation = {
  /** Runs a part of the plugin. @param isAnswer errors that are what it has to say @throws PluginFailure, or such an answer */
  run<Result>(part: string, action: () => Result, isAnswer?: (error: unknown) => boolean): Result;
  /** The same of what takes its time, and is waited for: it never rests, since whoever waits pauses by itself. */
  runAsync<Result>(part: string, action: () => Promise<Result>): Promise<Result>;
  /** By part, those whose last call failed. */
  facts(): Readonly<Record<string, PartState>>;
};

/** What a plugin does wrong stays with it: told once as it begins and once as it ends, and left alone for a while when it goes on. */
export function createIsolation(
  plugin: string,
  logger: Pick<PluginContext['logger'], 'warn' | 'info'>,
  now: () => number = Date.now,
): Isolation {
  const failing = new Map<string, { count: number; reason: string; restUntil: number }>();

  function begin(part: string): void {
    const known = failing.get(part);
    if (known === undefined || now() >= known.restUntil) return;
    throw new PluginFailure(`plugin "${plugin}" rests: its ${part} failed ${known.count} times: ${known.reason}`);
  }
  function succeeded(part: string): void {
    if (failing.delete(part)) logger.info({ plugin, part }, 'a part of a plugin works again');
  }
  function failed(part: string, error: unknown, rests = true): PluginFailure {
    const reason = oneLine(error).slice(0, 300);
    const count = (failing.get(part)?.count ?? 0) + 1;
    if (count === 1) logger.warn({ plugin, part, reason }, 'a part of a plugin fails');
    failing.set(part, { count, reason, restUntil: rests && count >= FAILURES ? now() + REST_MILLISECONDS : 0 });
    return new PluginFailure(`plugin "${plugin}": its ${part} failed: ${reason}`, { cause: error });
  }

  return {
    run: (part, action, isAnswer = () => false) => {
      begin(part);
      try {
        const result = action();
        succeeded(part);
        return result;
      } catch (error) {
        if (!isAnswer(error)) throw failed(part, error);
        succeeded(part);
        throw error;
      }
    },
    runAsync: async (part, action) => {
      try {
        const result = await action();
        succeeded(part);
        return result;
      } catch (error) {
        throw failed(part, error, false);
      }
    },
    facts: () =>
      Object.fromEntries(
        [...failing].map(([part, { reason, restUntil }]) => [
          part,
          { state: restUntil > now() ? ('resting' as const) : ('failing' as const), reason },
        ]),
      ),
  };
}
