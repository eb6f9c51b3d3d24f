import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { isSign } from '../resilience/outages/signs.ts';
import { createOutages, type Outages } from '../resilience/outages/outages.ts';
import type { Logger } from '../telemetry/logger.ts';
import { route, type Reply, type Route } from './route.ts';

/** A dependency's check: rejects when it is not usable. */
export type HealthChecks = Readonly<Record<string, () => Promise<void>>>;

/** Thrown by a check of something that has not been there yet: down, and nothing to log. */
export class NotYet extends Error {
  override name = 'NotYet';
}

export type Health = {
  /** GET /health, /health/ready, /health/live; no key needed, nothing secret told. */
  readonly routes: readonly Route[];
  /** From now on not ready: shutdown has begun. */
  drain(): void;
};

const CHECK_TIMEOUT = 2_000;

const report = z.object({
  status: z.enum(['up', 'down', 'draining']),
  dependencies: z.record(z.string(), z.enum(['up', 'down'])),
  details: z.record(z.string(), z.unknown()).optional(),
});

export type HealthOptions = {
  /** Looked at anew for each answer: checks may be added while the service starts. */
  readonly checks: HealthChecks;
  /** What else the service tells of itself, such as a relay's lag; nothing secret. */
  readonly details?: () => Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  /** The process's own, if it has one: an outage that was told there is not told again. */
  readonly outages?: Outages;
};

/** Health by dependency. Why one is down goes to the log, once each time that it goes down; not to the caller. */
export function createHealth({ checks, details, logger, ...options }: HealthOptions): Health {
  const outages = options.outages ?? createOutages(logger);
  let draining = false;
  const down = new Set<string>();
  const asked = new Map<string, Promise<void>>();

  /** A dependency that froze is not asked again before it has answered. */
  const ask = (name: string, probe: () => Promise<void>): Promise<void> => {
    const asking = asked.get(name) ?? probe().finally(() => asked.delete(name));
    asked.set(name, asking);
    return asking;
  };

  const check = async (name: string, probe: () => Promise<void>): Promise<[string, 'up' | 'down']> => {
    const timer = new AbortController();
    const late = pause(CHECK_TIMEOUT, undefined, { signal: timer.signal, ref: false }).then(() => {
      throw new Error(`${name}: no answer within ${CHECK_TIMEOUT} ms`);
    });
    try {
      await outages.watch(name, () => Promise.race([ask(name, probe), late]), isDown);
      if (down.delete(name)) logger.info({ dependency: name }, 'dependency is up again');
      return [name, 'up'];
    } catch (error) {
      if (error instanceof NotYet) return [name, 'down'];
      if (!outages.isTold(error) && !down.has(name)) logger.warn({ dependency: name, error }, 'dependency is down');
      if (!outages.isTold(error)) down.add(name);
      return [name, 'down'];
    } finally {
      late.catch(() => undefined);
      timer.abort();
    }
  };

  const ready = async (): Promise<Reply> => {
    const results = await Promise.all(Object.entries(checks).map(([name, probe]) => check(name, probe)));
    const up = results.every(([, state]) => state === 'up');
    const status = draining ? 'draining' : up ? 'up' : 'down';
    return reply(status, Object.fromEntries(results), details?.());
  };

  return {
    routes: [
      healthRoute('/health', 'Is the service well, and each of its dependencies?', ready),
      healthRoute('/health/ready', 'Can it take requests?', ready),
      healthRoute('/health/live', 'Does the process answer?', () => reply('up', {})),
    ],
    drain: () => {
      draining = true;
    },
  };
}

const isDown = (error: unknown): boolean => !(error instanceof NotYet) && isSign(error);

const reply = (
  status: z.infer<typeof report>['status'],
  dependencies: Record<string, 'up' | 'down'>,
  details?: Readonly<Record<string, unknown>>,
): Reply => ({
  status: status === 'up' ? 200 : 503,
  headers: { 'Cache-Control': 'no-store' },
  json: { status, dependencies, ...(Object.keys(details ?? {}).length > 0 && { details }) },
});

const healthRoute = (path: string, summary: string, handler: () => Promise<Reply> | Reply): Route =>
  route({
    method: 'get',
    path,
    role: 'public',
    tag: 'health',
    summary,
    answers: { 200: { description: 'Yes.', schema: report }, 503: { description: 'No.', schema: report } },
    handler,
  });
