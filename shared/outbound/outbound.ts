import { pause } from '../resilience/pause.ts';
import { currentContext } from '../telemetry/request-context.ts';
import { childTraceparent, formatTraceparent, parseTraceparent } from '../telemetry/traceparent.ts';
import { hostOf } from '../config/outbound.ts';
import { createBreaker } from './breaker.ts';
import { createSlots } from './slots.ts';
import { createExchanges, type Answer, type Exchanges } from './exchange.ts';
import { LimitReached, NotAllowed, TargetAway } from './failures.ts';
import { createPace, fullJitter, retryAfter } from './pace.ts';
import { timeoutSignal } from '../resilience/timeout-signal.ts';

/** Why a target takes nothing more, and until when. */
export type Limit = { readonly until: Date; readonly why: string };

/** `refused`: nothing was done, for this limit. */
type Heard = { readonly answer: Answer; readonly refused: Limit | null };

/** An external system, and how it wants to be spoken to. */
export type Target = {
  /** What failures and health call it. */
  readonly name: string;
  /** Addresses below this one are the target's; whatever else is refused. */
  readonly base: URL;
  /** Calls at once. */
  readonly atOnce?: number;
  /** Milliseconds between the beginnings of two calls, and of two that change something: those come one after the other. */
  readonly everyMilliseconds?: number;
  readonly changeEveryMilliseconds?: number;
  /** Changes at once; default: 1. */
  readonly changesAtOnce?: number;
  /** Of an answer only the status and the headers count: its body is let go, and may be of any length. */
  readonly bodiless?: true;
  /** Bytes that an answer and a request may have; default: 10 and 1 million. */
  readonly mostBytes?: { readonly answer: number; readonly request: number };
  /** Of an answer only its end counts: so many bytes of it, where it is no longer than is read at all. */
  readonly tail?: { readonly lastBytes: number; readonly mostBytes: number };
  /** Tries of what is safe to repeat, or did not happen; default: 4. */
  readonly tries?: number;
  /** What an answer says of its limits; default: nothing but what Retry-After says with 429 and 503. */
  readonly limitOf?: (answer: Answer, now: number) => Limit | null;
  /** The header by which it knows a request that came before; default: it knows none. */
  readonly idempotencyHeader?: string;
};

export type Asked = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the target's address, or a whole address there. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** JSON that is sent as it is. */
  readonly text?: string;
  /** Stable over retries and restarts: for a target that takes such keys. */
  readonly key?: string;
  /** Whether the same again does no more than once; default: by its method, all but POST. */
  readonly idempotent?: boolean;
  /** Nothing of ours goes along: to whom others sent us. */
  readonly isBare?: true;
  /** Higher ones wait less; default: 0. */
  readonly priority?: number;
  /** Milliseconds for one answer, and tries; default: as all that is asked. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  readonly signal: AbortSignal;
};

export type OutboundState = {
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly underWay: number;
  readonly waiting: number;
  /** ISO 8601; null: it takes what is asked. */
  readonly limitedUntil: string | null;
  readonly lastFailure: { readonly at: string; readonly reason: string } | null;
};

/** As anybody may read it: without what failed, which may hold an address. */
export const shownState = ({ lastFailure, ...now }: OutboundState) => ({
  ...now,
  lastFailureAt: lastFailure?.at ?? null,
});

export type Outbound = {
  /** Asks, again where that is safe and helps. Answers of any status below 500. @throws NotAllowed, LimitReached, TargetAway, Postponed, the signal's reason */
  send(asked: Asked): Promise<Answer>;
  state(): OutboundState;
};

export type OutboundOptions = {
  /** `host:port` that may be called, and of these, those that may be at private addresses. */
  readonly allowHosts: readonly string[];
  readonly privateHosts: readonly string[];
  /** Milliseconds for one answer; default 30,000. */
  readonly timeoutMs?: number;
  /** Milliseconds before the first further try at most, and before any; default 500 and 8,000. */
  readonly backOffMs?: { readonly first: number; readonly most: number };
  /** Milliseconds that an open breaker rests; default: as everywhere. */
  readonly restMs?: number;
  readonly exchanges?: Exchanges;
};

const TIMEOUT_MS = 30_000;
const BACK_OFF = { first: 500, most: 8_000 };
const TRIES = 4;
/** A limit that ends sooner is waited for here; a later one gives the call back. */
const WAITS_MS = 15_000;
const MOST_REQUEST_BYTES = 1_000_000;
const MOST_ANSWER_BYTES = 10_000_000;

/** The one way out to a target: allowed hosts, its limits and ours, a breaker, tries with full jitter, and a state to look at. */
export function createOutbound(target: Target, options: OutboundOptions): Outbound {
  const { base, name, bodiless = false } = target;
  const most = target.mostBytes ?? { answer: MOST_ANSWER_BYTES, request: MOST_REQUEST_BYTES };
  const host = hostOf(base);
  const below = base.href.replace(/\/$/, '');
  const named = (hosts: readonly string[]): boolean => hosts.some((one) => one.toLowerCase() === host);
  const isPrivate = named(options.privateHosts);
  const exchange = options.exchanges ?? createExchanges({ isPrivate });
  const slots = createSlots(target.atOnce ?? 4);
  const changes = createSlots(target.changesAtOnce ?? 1);
  const paceAll = createPace(target.everyMilliseconds ?? 0);
  const paceChanges = createPace(target.changeEveryMilliseconds ?? 0);
  const breaker = createBreaker(name, (error) => (error instanceof TargetAway ? 'fails' : 'nothing'), options.restMs);
  const backOff = options.backOffMs ?? BACK_OFF;
  let limit: Limit | null = null;
  let lastFailure: OutboundState['lastFailure'] = null;

  function addressOf(path: string): URL {
    const url = new URL(path.startsWith('/') ? `${below}${path}` : path);
    if (!url.href.startsWith(`${below}/`) || !(isPrivate || named(options.allowHosts)))
      throw new NotAllowed(`${name}: ${url.host} is not among the hosts that may be called ("outbound.allowHosts")`);
    if (url.protocol !== 'https:' && !isPrivate) throw new NotAllowed(`${name}: ${url.host} is called by https only`);
    return url;
  }

  /** Waits out a limit that ends soon. @throws LimitReached for one that does not */
  async function withinLimit(signal: AbortSignal): Promise<void> {
    for (;;) {
      const rest = limit === null ? 0 : limit.until.getTime() - Date.now();
      if (limit === null || rest <= 0) return;
      if (rest > WAITS_MS)
        throw new LimitReached(`${name} takes nothing more before ${iso(limit.until)}: ${limit.why}`, limit.until);
      await pause(rest, signal);
      signal.throwIfAborted();
    }
  }

  async function once(url: URL, asked: Asked, body: Buffer | null): Promise<Heard> {
    const { method, signal } = asked;
    const all = AbortSignal.any([signal, timeoutSignal(asked.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS)]);
    const headers = { ...ownHeaders(target, asked), ...asked.headers, ...(body !== null && JSON_BODY) };
    return breaker.call(async () => {
      try {
        const answer = await exchange({
          method,
          url,
          headers,
          body,
          signal: all,
          mostBytes: bodiless ? 0 : (target.tail?.mostBytes ?? most.answer),
          ...(target.tail !== undefined && { lastBytes: target.tail.lastBytes }),
        });
        const told = (target.limitOf ?? limitByRetryAfter)(answer, Date.now());
        limit = told ?? limit;
        if (answer.status >= 500) throw unusable(answer);
        return { answer, refused: REFUSED.has(answer.status) ? told : null };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TargetAway)) throw error;
        const reason = `${name}: ${method} ${url.pathname}: ${error.message}`;
        lastFailure = { at: iso(new Date()), reason };
        throw new TargetAway(reason, error);
      }
    });
  }

  /** With its turn. What the target says of its limits holds for all who come later. */
  async function inTurn(url: URL, asked: Asked, body: Buffer | null): Promise<Heard> {
    const { signal, priority } = asked;
    const isChange = asked.method !== 'GET';
    const leaveChanges = isChange ? await changes.take(signal, priority) : null;
    try {
      const leave = await slots.take(signal, priority);
      try {
        await withinLimit(signal);
        if (isChange) await paceChanges(signal);
        await paceAll(signal);
        return await once(url, asked, body);
      } finally {
        leave();
      }
    } finally {
      leaveChanges?.();
    }
  }

  return {
    async send(asked) {
      const url = addressOf(asked.path);
      const text = asked.text ?? (asked.body === undefined ? undefined : JSON.stringify(asked.body));
      const body = text === undefined ? null : Buffer.from(text);
      if (body !== null && body.length > most.request)
        throw new NotAllowed(`${name}: a request of more than ${most.request} bytes`);
      const tries = asked.tries ?? target.tries ?? TRIES;
      const isSafe = asked.idempotent ?? asked.method !== 'POST';
      for (let attempt = 1; ; attempt++) {
        asked.signal.throwIfAborted();
        try {
          const { answer, refused } = await inTurn(url, asked, body);
          if (refused === null) return answer;
          if (attempt >= tries) throw new LimitReached(`${name}: ${refused.why}`, refused.until);
        } catch (error) {
          const again = error instanceof TargetAway && (isSafe || !error.mayHaveHappened);
          if (!again || attempt >= tries) throw error;
        }
        await pause(fullJitter(attempt, backOff.first, backOff.most), asked.signal);
      }
    },
    state: () => ({
      breaker: breaker.state(),
      ...slots.counts(),
      limitedUntil: limit !== null && limit.until.getTime() > Date.now() ? iso(limit.until) : null,
      lastFailure,
    }),
  };
}

const iso = (date: Date): string => date.toISOString();
const JSON_BODY = { 'Content-Type': 'application/json; charset=utf-8' };
/** Statuses that refuse for a limit. */
const REFUSED = new Set([403, 429]);

function limitByRetryAfter({ status, headers }: Answer, now: number): Limit | null {
  const until = status === 429 || status === 503 ? retryAfter(headers['retry-after'], now) : null;
  return until === null ? null : { until, why: 'it asks for a pause' };
}

function ownHeaders({ idempotencyHeader }: Target, { key, isBare }: Asked): Record<string, string> {
  const context = isBare === true ? undefined : currentContext();
  return {
    'User-Agent': 'workledger',
    'Accept-Encoding': 'identity',
    ...(context !== undefined && {
      'X-Correlation-Id': context.correlationId,
      traceparent: formatTraceparent(childTraceparent(parseTraceparent(context.traceparent ?? undefined))),
    }),
    ...(idempotencyHeader !== undefined && key !== undefined && { [idempotencyHeader]: key }),
  };
}

/** Words of a server in trouble are a page for browsers: its status says enough. */
const unusable = ({ status }: Answer): TargetAway => new TargetAway(`it answers ${status}`, { mayHaveHappened: true });
