import type { RecordedEvent } from '../events/recorded-event.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a plugin is given when it is made: its part of the configuration, checked, and its secrets, read. */
export type PluginContext = {
  readonly configuration: Readonly<Record<string, unknown>>;
  /** By name; two while one replaces the other, none where none is configured. */
  readonly secrets: Readonly<Record<string, readonly string[]>>;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
};

/** What is asked of a middleware before a request is handled. Bodies and keys are not shown to it. */
export type PluginRequest = {
  readonly method: string;
  readonly path: string;
  /** By lower-case name, without `authorization` and `cookie`. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly address: string | null;
  readonly correlationId: string;
};

/** Sees requests before they are handled, and answers when they were sent. */
export type Middleware = {
  /** What becomes of a request when `before` fails, or is at rest for having failed: it goes on, or is answered 503. */
  readonly whenFailing: 'go-on' | 'refuse';
  /** Refuses it in words (403), adds headers to its answer, or neither. */
  before?(
    request: PluginRequest,
  ): { readonly refuse: string } | { readonly headers: Readonly<Record<string, string>> } | undefined;
  after?(answered: PluginRequest & { readonly status: number; readonly milliseconds: number }): void;
};

/** An external system that the plugin speaks to, by Workledger's one way out: its host stands in `outbound` of the configuration. */
export type PluginTarget = {
  /** Addresses below this one are its own; https, but for hosts that `outbound.privateHosts` names. */
  readonly base: string;
  /** Calls at once; default: 4. */
  readonly atOnce?: number;
  readonly everyMilliseconds?: number;
  /** The header by which it knows a request that came before. */
  readonly idempotencyHeader?: string;
};

export type PluginAsked = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the target's address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Stable over retries and restarts, for a target that takes such keys. */
  readonly key?: string;
  /** Whether the same again does no more than once; default: by its method, all but POST. */
  readonly idempotent?: boolean;
};

export type PluginAnswer = {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type PluginTask = {
  readonly title: string;
  readonly repository: string | null;
  readonly source: { readonly kind: string; readonly reference: string | null; readonly url: string | null } | null;
  readonly status: 'pending' | 'in-progress' | 'validation' | 'complete' | 'failed' | 'cancelled';
  /** The run that works on it, as its events name it; null: none does. */
  readonly claimId: string | null;
  /** Where people see it; null: the configuration names no `publicUrl`. */
  readonly link: string | null;
};

export type PluginRepository = {
  readonly baseBranch: string;
  /** What the plugin's own part of the configuration (`repositories`) calls it; null: nothing. */
  readonly named: string | null;
};

/** What a component or a handler of a plugin has beside its own. */
export type PluginTools = {
  /** Asks a target of the plugin; tried again where that is safe and helps. Answers of any status below 500. */
  send(target: string, asked: PluginAsked): Promise<PluginAnswer>;
  /** What is asked for, where it came from, and how far it is now: later events than the one in hand may have happened. */
  task(taskId: string): Promise<PluginTask>;
  /** A repository as it is configured now; null: it is no more. */
  repository(name: string): PluginRepository | null;
  readonly signal: AbortSignal;
};

/** Work that is asked for by name (`<plugin>.<name>`), guarded as Workledger's own: turns, time, breaker, log. */
export type PluginComponent = {
  /** For one call, without the wait for its turn. */
  readonly seconds: number;
  /** In one process; default: 4. */
  readonly atOnce?: number;
  /** @param request names task, run and repository, and has what the caller adds @returns as JSON */
  perform(
    request: Readonly<Record<string, unknown>> & { readonly taskId: string; readonly repository: string },
    tools: PluginTools & { readonly key: string },
  ): Promise<Readonly<Record<string, unknown>>>;
};

/** Hears of each event of its types that is appended after its first start: at least once, in the order of each stream. */
export type EventHandler = {
  readonly types: readonly [string, ...string[]];
  /** `data` is in its newest version. What fails is tried again with growing pauses, then set aside until the next start. */
  handle(event: PluginEvent, tools: PluginTools & Pick<PluginCalls, 'call'>): Promise<void>;
};
export type PluginEvent = Pick<RecordedEvent, 'id' | 'type' | 'stream' | 'revision' | 'recordedAt' | 'data'> & {
  readonly correlationId: string;
};
export type PluginCalls = {
  /** Has a component of the plugin perform something, under a key that is the event's and this one. @throws ComponentFailure */
  call(name: string, request: { readonly taskId: string; readonly repository: string }, key?: string): Promise<unknown>;
};

/** What a plugin brings, each under the name that its manifest tells. A provider is one of `command-service/intake/provider.ts`. */
export type PluginParts<Provider = unknown> = {
  readonly providers?: Readonly<Record<string, Provider>>;
  readonly targets?: Readonly<Record<string, PluginTarget>>;
  readonly components?: Readonly<Record<string, PluginComponent>>;
  readonly handlers?: Readonly<Record<string, EventHandler>>;
  readonly middleware?: Readonly<Record<string, Middleware>>;
};

/** The default export of a plugin's module. */
export type Plugin<Provider = unknown> = (
  context: PluginContext,
) => PluginParts<Provider> | Promise<PluginParts<Provider>>;
