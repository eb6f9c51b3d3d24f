import { oneLine } from '../../telemetry/one-line.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { accessFault, isSign, kindOf } from './signs.ts';

/** How one server is, as those who use it meet it. */
export type Outage = {
  /** Somebody could not use it; with a name, it is not back before they can. */
  failed(who: string | null, error: unknown): void;
  /** Somebody used it, or needs it no more. */
  worked(who: string | null): void;
};

/**
 * Says once that a server is away (again only when the reason becomes one of another kind), and once that it is back, however many
 * parts of a process meet it how often: one object a process. The rest goes to the debug log. Servers go by the names of /health.
 */
export type Outages = {
  /** Does it and takes note of how the server is; throws what the action throws. @param isAway which errors are no answer */
  watch<Result>(server: string, action: () => Promise<Result>, isAway?: (error: unknown) => boolean): Promise<Result>;
  /** Takes note of an error that somebody else met; false when it is no sign of an outage, and nobody told of it. */
  notice(server: string, error: unknown): boolean;
  of(server: string): Outage;
  /** Whether the error, or what caused it, was told as an outage: nobody needs to tell it again. */
  isTold(error: unknown): boolean;
  /** From now on one name is another one for a server. */
  join(name: string, server: string): void;
};

type State = { isAway: boolean; changedAt: number; readonly waiting: Set<string>; readonly kinds: Set<string> };

/** A reason may have anything in it: what changes for ever is not told for ever. */
const MOST_KINDS = 2;

export function createOutages(logger: Pick<Logger, 'debug' | 'info' | 'warn'>): Outages {
  const names = new Map<string, string>();
  const states = new Map<string, State>();
  const toldOf = new WeakMap<object, string>();

  const nameOf = (server: string): string => names.get(server) ?? server;

  function stateOf(server: string): State {
    const state = states.get(server) ?? { isAway: false, changedAt: -1, waiting: new Set(), kinds: new Set() };
    states.set(server, state);
    return state;
  }

  const serverOf = (error: unknown): string | undefined =>
    error instanceof Error ? (toldOf.get(error) ?? serverOf(error.cause)) : undefined;

  function fail(name: string, who: string | null, error: unknown, begunAt: number): void {
    const server = nameOf(name);
    if ((serverOf(error) ?? server) !== server) return;
    if (error instanceof Error) toldOf.set(error, server);
    const state = stateOf(server);
    const refusal = accessFault(error);
    const facts = { dependency: server, reason: reasonOf(error, refusal) };
    // What was begun before it came back says nothing of now.
    if (!state.isAway && begunAt < state.changedAt) return logger.debug({ ...facts, who }, `${server} was away`);
    if (who !== null) state.waiting.add(who);
    if (!state.isAway) {
      Object.assign(state, { isAway: true, changedAt: performance.now() });
      state.kinds.clear();
    }
    const kind = kindOf(error);
    if (state.kinds.has(kind) || state.kinds.size === MOST_KINDS)
      return logger.debug({ ...facts, who }, `still waiting for ${server}`);
    state.kinds.add(kind);
    logger.warn(
      facts,
      refusal !== null ? `${server} does not let us in: trying again` : `${server} is away: waiting for it`,
    );
  }

  function work(name: string, who: string | null, begunAt: number): void {
    const server = nameOf(name);
    const state = stateOf(server);
    if (who !== null) state.waiting.delete(who);
    if (!state.isAway || state.waiting.size > 0 || begunAt < state.changedAt) return;
    Object.assign(state, { isAway: false, changedAt: performance.now() });
    logger.info({ dependency: server }, `${server} is back`);
  }

  return {
    watch: async (server, action, isAway = isSign) => {
      const begunAt = performance.now();
      try {
        const result = await action();
        work(server, null, begunAt);
        return result;
      } catch (error) {
        if (isAway(error)) fail(server, null, error, begunAt);
        throw error;
      }
    },
    notice: (server, error) => {
      if (serverOf(error) === undefined && !isSign(error)) return false;
      fail(server, null, error, performance.now());
      return true;
    },
    of: (server) => ({
      failed: (who, error) => fail(server, who, error, performance.now()),
      worked: (who) => work(server, who, performance.now()),
    }),
    isTold: (error) => serverOf(error) !== undefined,
    join: (name, server) => void names.set(name, server),
  };
}

function reasonOf(error: unknown, refusal: string | null): string {
  const own = oneLine(error);
  return refusal === null || own.includes(refusal) ? own : `${refusal} (${own})`;
}

/** Passes on what comes. What fails in reading is told as that of the server, not as that of those who take the items. */
export async function* watchEach<Item>(
  outages: Pick<Outages, 'watch'>,
  server: string,
  items: AsyncIterable<Item>,
): AsyncGenerator<Item> {
  const reading = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await outages.watch(server, () => reading.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await reading.return?.();
  }
}
