import type { RequestListener } from 'node:http';
import type { Authenticate } from '../http/mount.ts';
import { createHealth, NotYet } from '../http/health.ts';
import type { Route } from '../http/route.ts';
import type { Upgrade } from '../http/upgrade.ts';
import { startServer } from '../http/server.ts';
import {
  describeVariables,
  readEnvironment,
  type Environment,
  type serverVariables,
} from '../config/service-environment.ts';
import { NewerDatabase } from '../migrations/migrate.ts';
import { isAway } from '../resilience/outages/signs.ts';
import { createOutages } from '../resilience/outages/outages.ts';
import { rejectionOf } from '../resilience/with-deadline.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { outputWritten } from '../telemetry/output.ts';
import { oneLine } from '../telemetry/one-line.ts';
import type { RequestHandler } from 'express';
import { createApplication } from '../http/application.ts';
import { Problem } from '../http/problem.ts';
import { createClosers } from './closers.ts';
import { patiently } from '../resilience/patiently.ts';
import { fail, keepToOurselves, launcherIsGone, stopSignal } from './program.ts';
import type { Host, RunningService } from './service.ts';

type ServerVariables = ReturnType<typeof serverVariables>;

/** What a `main.ts` works with. What it depends on is waited for, however long that takes. */
export type Service<Shape extends ServerVariables> = Host & {
  readonly environment: Environment<Shape>;
  /** Aborts as the process is asked to stop; requests in hand have some seconds from then on. */
  readonly draining: AbortSignal;
  /** Does something until it works, while its server is away. @throws what no waiting mends */
  patiently<Result>(dependency: string, action: () => Promise<Result>): Promise<Result>;
  /** Facts that /health tells beside. */
  tell(facts: () => Readonly<Record<string, unknown>>): void;
  /** Answers these routes from now on. */
  serve(routes: readonly Route[], authenticate: Authenticate, before?: RequestHandler | null): void;
  /** Takes WebSockets from now on. */
  takeUpgrades(upgrade: Upgrade): void;
  /** Tells its facts and stops it with the process; should it fail, the process ends with exit code 1. */
  run(running: RunningService): void;
};

export type ServiceDefinition<Shape extends ServerVariables> = {
  readonly name: string;
  /** For --help. */
  readonly summary: string;
  readonly variables: Shape;
  /** Everything that `start` opens by `dependOn`, so that /health names it before it is there. */
  readonly dependencies: readonly string[];
  readonly start: (service: Service<Shape>) => Promise<void>;
};

const DRAIN_MILLISECONDS = 10_000;
/** A server that froze does not keep a service from stopping. */
const CLOSE_MILLISECONDS = 20_000;

/**
 * Runs a service as this process: reads its environment, listens (so that its health can be asked at once), starts it, and stops it
 * at SIGTERM or SIGINT after what is in hand. Exit code 0: stopped; 1: wrong environment, a database that a newer program has
 * brought further, or work that failed.
 */
export async function runService<Shape extends ServerVariables>(definition: ServiceDefinition<Shape>): Promise<void> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(`${definition.summary}\n\nEnvironment:\n${describeVariables(definition.variables)}\n`);
    return;
  }
  await runUntilStopped(definition).catch(fail);
}

async function runUntilStopped<Shape extends ServerVariables>(definition: ServiceDefinition<Shape>): Promise<void> {
  keepToOurselves();
  const { name } = definition;
  const environment = readEnvironment(definition.variables);
  const { HOST, PORT, LOG_LEVEL } = environment as Environment<ServerVariables>;
  const logger = createLogger({ service: name, level: LOG_LEVEL });
  const outages = createOutages(logger);
  const stopAsked = Promise.race([stopSignal(), launcherIsGone()]);
  const closers = createClosers();
  const draining = new AbortController();
  const checks: Record<string, () => Promise<void>> = { start: notYet };
  for (const dependency of definition.dependencies) checks[dependency] = notYet;
  const facts: (() => Readonly<Record<string, unknown>>)[] = [];
  const details = (): Readonly<Record<string, unknown>> =>
    Object.fromEntries(facts.flatMap((told) => Object.entries(told())));

  const health = createHealth({ checks, details, logger, outages });
  const entrance = createEntrance({ health: health.routes, title: `Workledger ${name}`, logger });
  let upgrade: Upgrade = (_request, socket) => void socket.end('HTTP/1.1 503 Starting\r\nConnection: close\r\n\r\n');
  const server = await startServer(entrance.listener, {
    ...{ host: HOST, port: PORT },
    upgrade: (request, socket, head) => upgrade(request, socket, head),
  });
  logger.info({ url: server.url }, 'listening');

  const failures: Promise<Error>[] = [];
  const drains: (() => Promise<unknown>)[] = [];
  const service: Service<Shape> = {
    name,
    environment,
    logger,
    outages,
    draining: draining.signal,
    closing: closers.closing,
    onClose: closers.add,
    dependOn: async (dependency, open, check = open) => {
      const isFinal = (error: unknown): boolean => error instanceof NewerDatabase;
      const opened = await patiently(dependency, open, { outages, signal: closers.closing, isFinal });
      checks[dependency] = async () => void (await check(opened));
      return opened;
    },
    patiently: (dependency, action) =>
      patiently(dependency, action, { outages, signal: closers.closing, isFinal: (error) => !isAway(error) }),
    tell: (told) => void facts.push(told),
    serve: entrance.open,
    takeUpgrades: (taking) => void (upgrade = taking),
    run: (running) => {
      if (running.facts !== undefined) facts.push(running.facts);
      if (running.failed !== undefined) failures.push(running.failed);
      if (running.drain !== undefined) drains.push(running.drain);
      closers.add(() => running.stop(), `the ${name}`);
    },
  };
  const working = definition.start(service).then(async () => {
    delete checks['start'];
    logger.info('started');
    if (failures.length > 0) throw await Promise.race(failures);
  });

  const failure = await Promise.race([stopAsked.then(() => null), rejectionOf(working)]);
  logger.info({ reason: failure === null ? await stopAsked : oneLine(failure) }, 'stopping');
  health.drain();
  draining.abort();
  if (failure === null) await Promise.all(drains.map((drain) => drain()));
  await server.stop(DRAIN_MILLISECONDS);
  await closers.close(CLOSE_MILLISECONDS);
  if (failure !== null) throw failure;
  logger.info('stopped');
  await outputWritten();
  process.exit();
}

const notYet = (): Promise<void> => Promise.reject(new NotYet('the service is starting'));

type Entrance = {
  readonly listener: RequestListener;
  /** From now on these routes are answered, too. */
  open(routes: readonly Route[], authenticate: Authenticate, before?: RequestHandler | null): void;
};

type EntranceOptions = {
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
    open: (routes, authenticate, before) => {
      current = createApplication({ routes: [...health, ...routes], authenticate, logger, title, version, before });
    },
  };
}
