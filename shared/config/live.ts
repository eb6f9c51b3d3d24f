import { upcast } from '../events/codec.ts';
import {
  configurationId,
  type ConfigurationEvent,
  type Content,
  type EnvironmentName,
} from '../contexts/sync/configuration/events.ts';
import { streamName } from '../contexts/stream.ts';
import type { EventLog } from '../event-log/port.ts';
import type { Outages } from '../resilience/outages/outages.ts';
import { pause } from '../resilience/pause.ts';
import { ConfigurationError } from './faults.ts';
import { effective, type Written } from './effective.ts';
import { placed } from './load.ts';
import { limitNames, type ComponentName } from './overlays.ts';
import { configurationSchema, type Configuration } from './schema.ts';

type Log = Pick<EventLog, 'readStream'>;

/** Of the file alone: nothing is set by the API. */
export const FILE_ALONE = -1;

export type Live = {
  /** Of the file, as it is written. */
  readonly written: Written;
  readonly environment: EnvironmentName;
  /** What readers go by now; -1: the file alone. */
  revision(): number;
  /** A configuration whose fields are always the newest. @param own what this reader was told otherwise */
  view(component?: ComponentName, own?: Partial<Configuration>): Configuration;
  /** What was valid at a revision; attempts go by the one that they began with. @throws ConfigurationError where it fits the file no more */
  at(revision: number, component?: ComponentName): Promise<Configuration>;
  /** What is set at a revision, or now: for who lays it over a file of its own. */
  setAt(revision?: number): Promise<SetByApi>;
  /** The configuration with what another process says that is set. @throws ConfigurationError where it does not fit the file */
  with(set: SetByApi, component?: ComponentName): Configuration;
  /** Called after each change. */
  onChange(listener: () => void): void;
  /** Reads what is set now; from then on `refresh` works. @throws ConfigurationError where it does not fit the file */
  open(log: Log): Promise<void>;
  /** Looks for a newer revision at once. */
  refresh(): Promise<void>;
  /** Looks again and again. */
  run(options: { readonly signal: AbortSignal; readonly outages: Pick<Outages, 'watch'> }): Promise<void>;
  /** For /health. */
  facts(): Readonly<Record<string, unknown>>;
};

const POLL_MILLISECONDS = 1_000;
/** Revisions that attempts of one process may have begun with, and that are worth keeping. */
const MOST_KEPT = 32;

type Loaded = {
  readonly configuration: Configuration;
  readonly folder: string;
  /** Default: the configuration itself. */
  readonly written?: Written | undefined;
};

/** What the API has set, of a revision; -1: nothing. */
export type SetByApi = { readonly revision: number; readonly content: Content };
export const NOTHING_SET: SetByApi = { revision: FILE_ALONE, content: {} };

/** The configuration as it is now: the file, and over it what the API has set for this environment. One for a process; it begins with the file alone. */
export function createLive({ configuration, folder, written = configuration }: Loaded): Live {
  const { environment } = configuration;
  const stream = streamName('configuration', configurationId(environment));
  const listeners: (() => void)[] = [];
  const kept = new Map<string, Promise<Configuration>>();
  const told = new Map<string, Configuration>();
  let log: Log | null = null;
  let current = NOTHING_SET;
  let problem: string | null = null;
  let known = new Map<ComponentName | undefined, Configuration>();

  const build = (content: Content, component?: ComponentName): Configuration => {
    const isPlain = Object.keys(content).length === 0 && Object.keys(configuration.overlays).length === 0;
    if (isPlain) return configuration;
    const { repositories, agents, rules, flags, ...rest } = placed(effective(written, content, component), folder);
    const limits = Object.fromEntries(limitNames.map((name) => [name, rest[name]]));
    return { ...configuration, ...limits, repositories, agents, rules, flags };
  };
  const now = (component?: ComponentName): Configuration => {
    const found = known.get(component) ?? build(current.content, component);
    known.set(component, found);
    return found;
  };

  async function newest(from: Log): Promise<SetByApi> {
    for await (const recorded of from.readStream(stream, { direction: 'backward', limit: 1 })) return setBy(recorded);
    return NOTHING_SET;
  }

  const take = (set: SetByApi): void => {
    // Throws before anything is changed.
    const built = build(set.content);
    current = set;
    problem = null;
    known = new Map([[undefined, built]]);
    for (const listener of listeners) listener();
  };

  const refresh = async (): Promise<void> => {
    if (log === null) return;
    const set = await newest(log);
    if (set.revision <= current.revision) return;
    try {
      take(set);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problem = `${misfit(set)}: ${error.faults[0] ?? ''}`;
    }
  };

  const setAt = async (revision = current.revision): Promise<SetByApi> => {
    if (revision === current.revision) return current;
    if (revision === FILE_ALONE || log === null) return NOTHING_SET;
    for await (const recorded of log.readStream(stream, { from: revision, limit: 1 })) return setBy(recorded);
    throw new Error(`there is no revision ${revision} of the configuration`);
  };

  /** The newest ones that were asked for. */
  const remembered = <Value>(values: Map<string, Value>, key: string, make: () => Value): Value => {
    const value = values.get(key) ?? make();
    values.delete(key);
    values.set(key, value);
    for (const oldest of values.keys()) if (values.size > MOST_KEPT) values.delete(oldest);
    return value;
  };

  return {
    ...{ written, environment, refresh },
    revision: () => current.revision,
    view: (component, own = {}) => {
      const names = Object.keys(configurationSchema.shape) as (keyof Configuration)[];
      const fields = names.map((name) => {
        const get = (): unknown => (Object.hasOwn(own, name) ? own[name] : now(component)[name]);
        return [name, { enumerable: true, get }] as const;
      });
      return Object.defineProperties({}, Object.fromEntries(fields)) as Configuration;
    },
    at: (revision, component) => {
      const key = `${revision} ${component}`;
      const found = remembered(kept, key, async () => build((await setAt(revision)).content, component));
      found.catch(() => kept.delete(key));
      return found;
    },
    setAt,
    with: ({ revision, content }, component) => {
      const found = remembered(told, `${revision} ${component}`, () => build(content, component));
      if (revision > current.revision) take({ revision, content });
      return found;
    },
    onChange: (listener) => void listeners.push(listener),
    open: async (opened) => {
      log = opened;
      const set = await newest(opened);
      if (set.revision === FILE_ALONE) return;
      try {
        take(set);
      } catch (error) {
        throw error instanceof ConfigurationError ? new ConfigurationError(misfit(set), error.faults) : error;
      }
    },
    run: async ({ signal, outages }) => {
      while (!signal.aborted) {
        await pause(POLL_MILLISECONDS, signal);
        if (!signal.aborted) await outages.watch('event-log', refresh).catch(() => undefined);
      }
    },
    facts: () => ({
      configuration: { environment, revision: current.revision, ...(problem !== null && { problem }) },
    }),
  };
}

const misfit = ({ revision }: SetByApi): string => `revision ${revision} of the configuration does not fit the file`;

const setBy = (recorded: Parameters<typeof upcast>[0] & { readonly revision: number }): SetByApi => ({
  revision: recorded.revision,
  content: (upcast(recorded) as ConfigurationEvent).data.content,
});
