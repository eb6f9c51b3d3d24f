import { askForRedrive, parkedPlace } from '@workledger/shared/read-models/parked.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { Pool } from 'pg';
import { knownCaller } from './send-command.ts';

export type ParkedRouteOptions = {
  /** Of the database in which projections and sagas note what they parked. */
  readonly pool: Pool;
  readonly logger: Pick<Logger, 'info'>;
};

/** POST /api/v1/parked/redrive: asks whoever parked something to try it again. No command: nothing of the domain changes. */
export const redriveRoute = ({ pool, logger }: ParkedRouteOptions): Route =>
  route({
    method: 'post',
    path: '/api/v1/parked/redrive',
    role: ['operator', 'admin'],
    summary: 'Try again what stands still',
    description:
      'As `GET /api/v1/parked` lists it. What waits is applied in order; where it fails again it stays parked, with the new reason. ' +
      'Asking again before it was tried changes nothing.',
    body: parkedPlace,
    answers: { 202: { description: 'It will be tried within seconds.', schema: parkedPlace } },
    problems: ['not-found', 'unavailable'],
    handler: async (input) => {
      const place = input.body;
      const { actor } = knownCaller(input);
      if (!(await askForRedrive(pool, place, actor)))
        throw new Problem(
          'not-found',
          `no ${place.kind} ${place.name} is parked at ${place.stream} ${place.key}`.trim(),
        );
      logger.info({ ...place }, 'a redrive was asked for');
      return { status: 202, json: place, headers: { 'Cache-Control': 'no-store' } };
    },
  });
