import type { RequestListener } from 'node:http';
import { createApplication } from '../http/application.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import type { Authenticate } from '../http/mount.ts';
import type { Logger } from '../telemetry/logger.ts';

export type Entrance = {
  readonly listener: RequestListener;
  /** From now on these routes are answered, too. */
  open(routes: readonly Route[], authenticate: Authenticate): void;
};

export type EntranceOptions = {
  /** Answered from the first moment on. */
  readonly health: readonly Route[];
  readonly title: string;
  readonly logger: Logger;
};

const nobody = (): never => {
  throw starting();
};

const starting = (): Problem =>
  new Problem('unavailable', 'the service is starting: ask again', { headers: { 'Retry-After': '1' } });

/** The door of a service that listens before it can work: health is told at once, all else is answered 503 until it opens. */
export function createEntrance({ health, title, logger }: EntranceOptions): Entrance {
  const version = '1';
  let current: RequestListener = createApplication({
    routes: health,
    authenticate: nobody,
    logger,
    title,
    version,
    otherwise: nobody,
  });
  return {
    listener: (request, response) => current(request, response),
    open: (routes, authenticate) => {
      current = createApplication({ routes: [...health, ...routes], authenticate, logger, title, version });
    },
  };
}
