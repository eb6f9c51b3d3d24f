import { z } from 'zod';
import { environmentName, installedRepository } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { Postponed, type Component } from '../../engine/component.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { asComponentFailure, failureOf, refuse } from '../failures.ts';
import { asGithubFailure } from './classify.ts';

const NAME = 'github.installed';
const STEP = 'installed';
/** For all its lists. */
const SECONDS = 240;
/** It stands in an event, and what is taken of it in another, which has all that is set beside it. */
const MOST_BYTES = 100_000;

export const installed = {
  request: z.strictObject({}),
  result: z.strictObject({
    environment: environmentName.describe('whose configuration it belongs to'),
    installed: z.record(z.string(), installedRepository),
  }),
};

/** Looks what the app is installed for, of those whose repositories the configuration takes. About no task, and no repository of ours. */
export const createInstalled = ({
  configuration,
  github,
}: Pick<ComponentEnvironment, 'configuration' | 'github'>): Component<unknown, z.infer<typeof installed.result>> => ({
  name: NAME,
  async perform(_, { signal }) {
    const { installed: taken, environment = 'production' } = configuration;
    if (!taken) return refuse(STEP, '"installed" is not in the configuration any more: nothing is taken');
    const limited = AbortSignal.any([signal, timeoutSignal(1_000 * SECONDS)]);
    try {
      const seen = (await github?.installed(limited, taken.of)) ?? null;
      if (seen === null)
        throw new Postponed(failureOf(STEP, 'no GitHub App is in the configuration: add "github.app" and start again'));
      const bytes = Buffer.byteLength(JSON.stringify(seen));
      if (bytes > MOST_BYTES) {
        const count = Object.keys(seen).length;
        refuse(
          STEP,
          `the app is installed for ${count} repositories, ${bytes} bytes: at most ${MOST_BYTES} are taken; name fewer in "installed.of"`,
        );
      }
      return { environment, installed: seen };
    } catch (error) {
      const failure = asGithubFailure(STEP, error);
      throw failure instanceof Postponed ? failure : asComponentFailure(STEP, failure, limited);
    }
  },
});
