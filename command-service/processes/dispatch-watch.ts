import type { Commands } from '@workledger/shared/commands/port.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';

const EVERY_MS = 2_000;

export type DispatchWatchOptions = {
  readonly commands: Commands;
  /** Dispatches of which something is to be given up, as a read model has it. */
  readonly due: () => Promise<readonly string[]>;
  readonly logger: Pick<Logger, 'debug' | 'error'>;
};

/**
 * Has given up what has expired, and what was handed over as often as may be: the log decides, and any number of processes may watch.
 * `stop` resolves when the look under way has ended.
 */
export function startDispatchWatch({ commands, due, logger }: DispatchWatchOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await settleDue({ commands, due }).catch((error: unknown) =>
        logger[isAway(error) ? 'debug' : 'error'](
          { err: error },
          'what has expired could not be given up: trying again',
        ),
      );
      await pause(EVERY_MS, stopping.signal);
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return watching;
    },
  };
}

/** One look. */
export async function settleDue({ commands, due }: Pick<DispatchWatchOptions, 'commands' | 'due'>): Promise<void> {
  for (const target of await due())
    await commands.send({ type: 'dispatch.settle', target, data: {} }, { actor: 'system', correlationId: newId() });
}
