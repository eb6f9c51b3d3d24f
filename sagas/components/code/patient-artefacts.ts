import { ArtefactDamaged, type Artefacts } from '@workledger/shared/artefacts/port.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { CodeEnvironment } from './environment.ts';

const SHORTEST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 5_000;

/** The artefact store, waited for while it is away until the signal aborts: what an agent did is not lost for that. */
export function patientArtefacts(
  { artefacts, logger }: Pick<CodeEnvironment, 'artefacts' | 'logger'>,
  signal: AbortSignal,
): Artefacts {
  async function patiently<Result>(action: () => Promise<Result>): Promise<Result> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        if (isForGood(error)) throw error;
        // That its server is away is told by the process, once.
        const level = attempt > 0 || isAway(error) ? 'debug' : 'warn';
        logger[level]({ reason: oneLine(error) }, 'artefact store is away: waiting for it');
        await pause(backOff(attempt, SHORTEST_MILLISECONDS, LONGEST_MILLISECONDS), signal);
        if (signal.aborted) throw error;
      }
    }
  }
  return {
    put: (bytes, mediaType) => patiently(() => artefacts.put(bytes, mediaType)),
    get: (digest) => patiently(() => artefacts.get(digest)),
  };
}

/** What no waiting can mend: too large, damaged, or a defect. */
const isForGood = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof TypeError || error instanceof ArtefactDamaged;
