import { streamId, streamType } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import type { KeyStore } from '@workledger/shared/security/key-store.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { invalidCursor } from '../reading/page.ts';
import { findFeed, type Feed, type Frame, type Told } from './feed.ts';
import { createLimits, type LiveLimits } from './limits.ts';
import { createListener, type Listener, type Subscription } from './listener.ts';
import { isFor, sameRights } from './rights.ts';

/** Milliseconds between two signs of life. */
const HEARTBEAT = 15_000;
/** A key is looked at again before something is told to it, where the last look is so many milliseconds old. */
const LOOK_AGAIN = 1_000;
const REPLAYS_AT_ONCE = 4;
/** News that waits for one who catches up. */
const MOST_HELD = 5_000;

export type HubOptions = {
  readonly log: EventLog;
  readonly keys: KeyStore;
  readonly feeds: readonly Feed[];
  readonly logger: Pick<Logger, 'warn'>;
  readonly limits?: Partial<LiveLimits>;
  /** Milliseconds; default 15,000. */
  readonly heartbeat?: number;
};

export type Hub = ReturnType<typeof createHub>;

/**
 * All live listeners of a process: one subscription of the log for all of them, whatever their number. What an event means to whom is
 * found by keys, so that an idle listener costs its memory and a sign of life, and no statement.
 */
export function createHub({ log, keys, feeds, logger, limits, heartbeat = HEARTBEAT }: HubOptions) {
  const authenticate = authenticateWith(keys);
  const stopping = new AbortController();
  const bounds = createLimits(limits);
  const listeners = new Map<Listener, Map<string, Subscription>>();
  const byKey = new Map<string, Set<Subscription>>();
  const streams = [...new Set([...feeds.flatMap((feed) => feed.streams), 'key', 'agent', 'user'])];
  /** Told up to here. */
  let position = 0n;
  let started: Promise<void> | null = null;
  let subscriptions = 0;
  let replaying = 0;
  const queue: (() => void)[] = [];
  const beats = setInterval(() => beat(), heartbeat);
  beats.unref();

  /** The first listener starts it; from then on the log is followed. */
  const start = (): Promise<void> =>
    (started ??= log.head().then(
      (head) => {
        position = head;
        const failed = (err: unknown): void => logger.warn({ err }, 'the live channel lost the log: trying again');
        void keepTrying(follow, { signal: stopping.signal, shortest: 50, longest: 2_000, onFailed: failed });
      },
      (error: unknown) => {
        started = null;
        throw error;
      },
    ));

  async function follow(worked: () => void): Promise<void> {
    subscriptions++;
    for await (const batch of log.subscribe({ after: position, streams, signal: stopping.signal })) {
      worked();
      for (const event of batch.events) tell(event);
      position = batch.next > position ? batch.next : position;
    }
    if (!stopping.signal.aborted) throw new Error('the subscription has ended');
  }

  /** What a feed cannot read, such as an event of a newer program, is not told: the lists have it later. */
  const toldOf = (event: RecordedEvent): readonly Told[] => {
    try {
      return feeds
        .filter((feed) => feed.streams.includes(streamType(event.stream)))
        .flatMap((feed) => feed.tell(event));
    } catch (err) {
      logger.warn({ err, stream: event.stream, type: event.type }, 'an event cannot be told live');
      return [];
    }
  };

  function tell(event: RecordedEvent): void {
    if (listeners.size > 0) {
      checkKeysAfter(event);
      for (const told of toldOf(event)) {
        const text = told.event === null ? '' : JSON.stringify(told.data);
        for (const subscription of [...(byKey.get(`${told.feed}/${told.key}`) ?? [])])
          hand(subscription, told, text, event.position);
      }
    }
    position = event.position;
  }

  function hand(subscription: Subscription, told: Told, data: string, at: bigint): void {
    if (at <= subscription.after) return;
    if (!isFor(subscription.listener.principal, told)) return;
    if (told.add !== undefined) hold(subscription, told.add);
    if (told.remove !== undefined) letGo(subscription, told.remove);
    if (told.event === null) return;
    const frame: Frame = { feed: subscription.name, event: told.event, position: at, data };
    if (subscription.held === null) subscription.listener.push(frame);
    else if (subscription.held.push(frame) > MOST_HELD) subscription.listener.close('slow-reader', true);
  }

  /** Who lost its key hears no more, also where nothing is told to it. */
  function checkKeysAfter({ type, stream }: RecordedEvent): void {
    const id = streamId(stream);
    const kind = streamType(stream);
    const isEnd = type === 'KeyRevoked' || type === 'AgentDeregistered' || kind === 'user';
    if (!isEnd) return;
    for (const listener of listeners.keys()) {
      const { keyId, actor } = listener.principal;
      if (kind === 'key' ? keyId !== id : actor !== `${kind}:${id}`) continue;
      keys.forget(keyId);
      void recheck(listener);
    }
  }

  /** Whether its key is what it was; else it is closed. */
  async function recheck(listener: Listener): Promise<boolean> {
    const { principal, authorization } = listener;
    try {
      const now = await authenticate(authorization, { address: principal.keyId, forwardedFor: undefined });
      listener.checkedAt = performance.now();
      if (sameRights(now, principal)) return true;
      listener.close('key-changed', true);
    } catch (error) {
      listener.close(error instanceof Problem ? error.code : 'unavailable', true);
    }
    return false;
  }

  function beat(): void {
    for (const listener of listeners.keys()) {
      if (Date.now() >= listener.expiresAt) void recheck(listener);
      if (catchingUp(listener).length === 0) listener.beat();
    }
  }

  const catchingUp = (listener: Listener): readonly Subscription[] =>
    [...(listeners.get(listener)?.values() ?? [])].filter(({ held }) => held !== null);

  function hold(subscription: Subscription, key: string): void {
    const place = `${subscription.feed}/${key}`;
    const holders = byKey.get(place) ?? new Set();
    byKey.set(place, holders.add(subscription));
    subscription.keys.add(key);
  }
  function letGo(subscription: Subscription, key: string): void {
    const place = `${subscription.feed}/${key}`;
    const holders = byKey.get(place);
    holders?.delete(subscription);
    if (holders?.size === 0) byKey.delete(place);
    subscription.keys.delete(key);
  }

  /** What came after a place, as far as the hub has told the others. @returns false: it is too far back */
  async function replay(subscriptions: readonly Subscription[], after: bigint, until: bigint): Promise<boolean> {
    if (replaying >= REPLAYS_AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
    replaying++;
    try {
      const wanted = feeds.filter(({ name }) => subscriptions.some(({ feed }) => feed === name));
      const options = { after, until, streams: [...new Set(wanted.flatMap((feed) => feed.streams))] };
      let seen = 0;
      for await (const event of log.readAll({ ...options, signal: stopping.signal })) {
        if (++seen > bounds.replayed) return false;
        for (const told of toldOf(event))
          for (const subscription of subscriptions) {
            const { feed, keys: own, name, listener } = subscription;
            if (told.feed !== feed || !own.has(told.key)) continue;
            if (!isFor(listener.principal, told)) continue;
            if (told.add !== undefined) hold(subscription, told.add);
            if (told.event === null) continue;
            listener.push({ feed: name, event: told.event, position: event.position, data: JSON.stringify(told.data) });
          }
      }
      return true;
    } catch (error) {
      if (error instanceof RangeError) throw invalidCursor('use a cursor as this channel gave it');
      throw error;
    } finally {
      replaying--;
      queue.shift()?.();
    }
  }

  return {
    heartbeat,
    bounds,
    position: () => position,
    /** For tests and /health. */
    counts: () => ({ listeners: listeners.size, keys: byKey.size, subscriptions }),
    /** Lets one in. @throws Problem `too-many-connections`, `unavailable` */
    connect: async (principal: Principal, authorization: string): Promise<Listener> => {
      if (stopping.signal.aborted) throw new Problem('unavailable', 'the service is stopping: ask again');
      bounds.enter(principal.keyId);
      try {
        await start();
        const key = await keys.find(principal.keyId);
        const expiresAt = key?.expiresAt == null ? Infinity : Date.parse(key.expiresAt);
        const listener = createListener({ principal, authorization, expiresAt }, position);
        listeners.set(listener, new Map());
        return listener;
      } catch (error) {
        bounds.leave(principal.keyId);
        throw error;
      }
    },
    leave: (listener: Listener): void => {
      const own = listeners.get(listener);
      if (own === undefined) return;
      for (const subscription of own.values()) for (const key of [...subscription.keys]) letGo(subscription, key);
      listeners.delete(listener);
      bounds.leave(listener.principal.keyId);
    },
    /**
     * Subscribes to feeds, all or none, from a place on, or from now on.
     * @returns from where on it hears @throws Problem
     */
    subscribe: async (listener: Listener, names: readonly string[], after: bigint | null): Promise<bigint> => {
      const own = listeners.get(listener);
      if (own === undefined) throw new Problem('unavailable', 'the line is closed');
      const wanted = [...new Set(names)].filter((name) => !own.has(name));
      bounds.subscribe(own.size + wanted.length);
      const found = wanted.map((name) => findFeed(feeds, name));
      const added = found.map(({ feed }, place): Subscription => {
        const name = wanted[place]!;
        return { listener, feed: feed.name, name, keys: new Set<string>(), held: [], after: after ?? 0n };
      });
      if (after !== null && own.size === 0) listener.wrote(after);
      try {
        // First the keys, so that nothing comes between; then what came before.
        for (const [place, subscription] of added.entries()) {
          const { feed, argument } = found[place]!;
          for (const key of await feed.open(argument, listener.principal)) hold(subscription, key);
          own.set(subscription.name, subscription);
        }
        const until = position;
        if (after === null) for (const subscription of added) subscription.after = until;
        else if (after < until && !(await replay(added, after, until)))
          listener.push({ feed: '', event: 'reset', position: until, data: RESET });
        for (const subscription of added) {
          const from = after !== null && after > until ? after : until;
          subscription.after = from;
          for (const frame of subscription.held ?? [])
            if (frame.position === null || frame.position > from) listener.push(frame);
          subscription.held = null;
        }
        return until;
      } catch (error) {
        for (const subscription of added) {
          own.delete(subscription.name);
          for (const key of [...subscription.keys]) letGo(subscription, key);
        }
        throw error;
      }
    },
    unsubscribe: (listener: Listener, name: string): void => {
      const subscription = listeners.get(listener)?.get(name);
      if (subscription === undefined) return;
      for (const key of [...subscription.keys]) letGo(subscription, key);
      listeners.get(listener)?.delete(name);
    },
    /** Where a listener goes on, so that nothing is left out. */
    heard: (listener: Listener): bigint => {
      const places = [listener.heard(position), ...catchingUp(listener).map(({ after }) => after)];
      return places.reduce((least, place) => (place < least ? place : least));
    },
    /** Before something is written: whether its key still is what it was. */
    mayHear: async (listener: Listener): Promise<boolean> =>
      performance.now() - listener.checkedAt < LOOK_AGAIN || recheck(listener),
    /** Tells all that it ends, and lets nobody in. */
    drain: (): void => {
      stopping.abort();
      clearInterval(beats);
      for (const listener of listeners.keys()) listener.close('shutdown');
    },
  };
}

const RESET = JSON.stringify({ reason: 'too far back', detail: 'read the lists, then go on from this cursor' });
