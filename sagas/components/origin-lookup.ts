import {
  LOOKUP_MILLISECONDS,
  ORIGIN_LOOKUPS_PATH,
  originLookupAnswer,
  submitted,
  type WhyNotInOrigin,
} from '@workledger/shared/commands/origin-lookup.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { Component } from '../engine/component.ts';
import { componentNamed } from './catalogue.ts';

/** Asks origins for commits that are said to be there, outside of any saga, by whoever performs components: this process, or runners. */
export function createOriginLookup(
  components: readonly Component[],
  logger: { debug(fields: object, message: string): void },
): WhyNotInOrigin {
  const component = componentNamed(components, 'code.lookup');
  return async (asked) => {
    // A key of its own: one call never ends another.
    const key = `origin-lookup/${newId()}`;
    try {
      const signal = timeoutSignal(LOOKUP_MILLISECONDS);
      return (await component.perform({ ...asked, runId: asked.taskId }, { key, signal })).absent;
    } catch (error) {
      logger.debug({ reason: oneLine(error) }, 'an origin does not tell of a submitted commit: it is looked for later');
      return null;
    }
  };
}

/** The door by which command-service asks, with the service key. */
export const originLookupRoute = (whyNotInOrigin: WhyNotInOrigin): Route =>
  route({
    method: 'post',
    path: ORIGIN_LOOKUPS_PATH,
    role: ['service'],
    tag: 'service',
    summary: 'Tells why a commit cannot be taken from the origin of its repository',
    body: submitted,
    answers: { 200: { description: 'Why not; null: it is there, or nobody can tell.', schema: originLookupAnswer } },
    handler: async ({ body }) => ({ json: { absent: await whyNotInOrigin(body) } }),
  });
