import { hostOf } from '../config/outbound.ts';
import type { Answer, Exchanges } from './exchange.ts';
import { NotAllowed, TargetAway } from './failures.ts';
import { createOutbound, type Outbound, type OutboundOptions, type OutboundState } from './outbound.ts';

export type FollowOptions = Omit<OutboundOptions, 'allowHosts' | 'exchanges'> & {
  /** What failures call whoever is sent to. */
  readonly name: string;
  /** `host` or `host:port` that may be followed to; `*` stands for any part of one label. */
  readonly hosts: readonly string[];
  /** So many bytes of the end are wanted. */
  readonly lastBytes: number;
  readonly exchanges?: Exchanges;
};

export type Follower = {
  /** @throws NotAllowed, TargetAway, or the signal's reason */
  follow(answer: Answer, signal: AbortSignal): Promise<Buffer>;
  /** Of all hosts together: the worst of them. */
  state(): OutboundState;
};

/** Hosts whose breakers and connections are kept. */
const MOST_HOSTS = 50;
/** Read of an answer that has no ranges and says no length. */
const MOST_BYTES = 20_000_000;

/**
 * Follows the one redirect of an answer, to hosts that are named, and reads the end of what is there. The address alone lets in:
 * nothing else goes along, no login above all.
 */
export function createFollower({ name, hosts, lastBytes, ...options }: FollowOptions): Follower {
  const patterns = hosts.map(patternOf);
  const known = new Map<string, Outbound>();

  function wayTo(url: URL): Outbound {
    const found = known.get(url.origin);
    if (found !== undefined) return found;
    const target = { name, base: new URL(url.origin), tries: 2, atOnce: 4, tail: { lastBytes, mostBytes: MOST_BYTES } };
    const made = createOutbound(target, { ...options, allowHosts: [hostOf(url)] });
    if (known.size >= MOST_HOSTS) known.clear();
    known.set(url.origin, made);
    return made;
  }

  const follow = async ({ headers }: Answer, signal: AbortSignal): Promise<Buffer> => {
    const { location } = headers;
    if (location === undefined || !URL.canParse(location)) throw new TargetAway(`${name}: no address`, SAFE);
    const url = new URL(location);
    const host = hostOf(url);
    if (url.username !== '' || url.password !== '' || !patterns.some((pattern) => pattern.test(host)))
      throw new NotAllowed(`${name}: ${host} is not among the hosts that are followed to`);
    const way = wayTo(url);
    const ask = (range: string): Promise<Answer> =>
      way.send({ method: 'GET', path: url.href, signal, isBare: true, headers: { Range: range } });
    // Not every store knows ranges from the end (Azure's does not): the first byte tells how long it is.
    const first = await ask('bytes=0-0');
    const length = Number(/^bytes 0-0\/(\d+)$/.exec(first.headers['content-range'] ?? '')?.[1] ?? 0);
    const isPart = first.status === 206 && length > 1;
    const answer = isPart ? await ask(`bytes=${Math.max(0, length - lastBytes)}-`) : first;
    if (answer.status === 200 || answer.status === 206) return answer.body;
    if (answer.status === 416) return Buffer.alloc(0);
    throw new TargetAway(`${name}: ${host} answers ${answer.status}`, SAFE);
  };
  return { follow, state: () => together([...known.values()].map((way) => way.state())) };
}

/** The worst of all counts; a host may come back that another one is not. */
function together(states: readonly OutboundState[]): OutboundState {
  const sum = (of: 'underWay' | 'waiting'): number => states.reduce((all, state) => all + state[of], 0);
  const latest = (times: readonly (string | null)[]): string | null => times.toSorted().at(-1) ?? null;
  const limits = states.map(({ limitedUntil }) => limitedUntil).filter((until) => until !== null);
  const failures = states.flatMap(({ lastFailure }) => (lastFailure === null ? [] : [lastFailure]));
  return {
    breaker: WORST.find((breaker) => states.some((state) => state.breaker === breaker)) ?? 'closed',
    ...{ underWay: sum('underWay'), waiting: sum('waiting'), limitedUntil: latest(limits) },
    lastFailure: failures.toSorted((one, other) => one.at.localeCompare(other.at)).at(-1) ?? null,
  };
}

const WORST = ['open', 'half-open'] as const;

const SAFE = { mayHaveHappened: false };

function patternOf(host: string): RegExp {
  const whole = /:\d+$/.test(host) ? host : `${host}:443`;
  const parts = whole.toLowerCase().split('*');
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[.[\]\\]/g, '\\$&')).join('[a-z0-9-]*')}$`);
}
