import type { z } from 'zod';
import type { configurationSchema } from '@workledger/shared/config/schema.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Client } from '@workledger/shared/client/client.ts';
import type { Store } from './stores.ts';

/** What a promise is tried on: everything it needs to know of an engine. */
export type Engine = {
  readonly name: string;
  /** When nothing was appended for so long, all that earlier commands led to has been done. */
  readonly calmMilliseconds: number;
  /** Starts a system of its own in a new folder, empty. Call `dispose` in `afterAll`. */
  start(settings?: Settings, needs?: Needs): Promise<RunningSystem>;
};

/**
 * `storage: 'shared'`: no store is struck, so those of the test run will do; what is in them is the system's own all the same.
 * `scale`: so many of a service, where each is a process; default: one.
 */
export type Needs = {
  readonly storage?: 'own' | 'shared';
  readonly scale?: Readonly<Record<string, number>>;
};

/** Parts of the configuration file; what is left out has its default. Port and data folder are the harness's. */
export type Settings = Omit<z.input<typeof configurationSchema>, 'port' | 'dataFolder'>;

/**
 * `service`: every process of Workledger itself, the gateway too. `storage`: every process of the databases and of the bus; not an
 * EventStoreDB, which may be somebody else's.
 */
export type Part = 'service' | 'storage';

export type RunningSystem = {
  /** What can die: its stores only where they are its own. */
  readonly parts: readonly Part[];
  /** Where its configuration and its data folder `data` are. */
  readonly folder: string;
  /** Talks to it with the administrator's key, wherever it listens after a restart. */
  readonly client: Client;
  /** SIGKILL to the processes of these parts, all at once. Answers when they are gone; agents go on running. */
  kill9(...parts: readonly Part[]): Promise<void>;
  /** The stores that can be struck from outside, each by itself. */
  readonly stores: readonly Store[];
  /** What the write side's /health says of what it depends on. */
  health(): Promise<Readonly<Record<string, string>>>;
  /** SIGTERM to the service and an orderly end. */
  stop(): Promise<void>;
  /** Starts on the same folder again; what still runs is killed first. Optionally on a changed configuration. */
  restart(settings?: Settings): Promise<void>;
  /** Connection URL of the PostgreSQL that holds read models, jobs and artefacts (embedded: also the log). */
  databaseUrl(): Promise<string>;
  /** The event log, as any process opens it; close it. */
  openLog(): Promise<EventLog>;
  /** What the services told their operator, log lines or error stream, since the first start. */
  errorOutput(): string;
  /** Kills everything and removes the folder. */
  dispose(): Promise<void>;
};

/** Of these engines those that WORKLEDGER_ENGINES names, commas between; all where it is not set. */
export function chosen<Engine extends { readonly name: string }>(engines: readonly Engine[]): readonly Engine[] {
  const names = process.env['WORKLEDGER_ENGINES']?.split(',');
  return names === undefined ? engines : engines.filter(({ name }) => names.includes(name));
}

/** What /health of a service says of each of its dependencies; nothing where it does not answer. */
export async function healthAt(url: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (url === undefined) return {};
  const answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  return answer === null ? {} : ((await answer.json()) as { dependencies: Record<string, string> }).dependencies;
}
