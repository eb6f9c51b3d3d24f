import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

export type FailedAttempts = {
  /** Counts one; the number of those of the address in its window, this one included. */
  count(address: string): number;
  /** Takes one back: it was none. */
  takeBack(address: string): void;
  /** Seconds until the address may fail again; 0: it may. */
  secondsToWait(address: string): number;
  /** Addresses that are kept. */
  size(): number;
};

export type FailedAttemptsOptions = {
  /** So many are answered as they are, in a window. */
  readonly most?: number;
  /** Milliseconds from the first that is counted. */
  readonly window?: number;
  /** So many addresses are kept: of more, those that failed longest ago are forgotten. */
  readonly addresses?: number;
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number;
};

type Failures = { count: number; readonly since: number };

/** Counts failed attempts by address, in windows that begin with the first. In memory, of this process. */
export function createFailedAttempts(options: FailedAttemptsOptions = {}): FailedAttempts {
  const { most = 20, window = 60_000, addresses = 10_000, now = () => performance.now() } = options;
  const kept = new LRUCache<string, Failures>({ max: addresses });
  const current = (address: string): Failures | undefined => {
    const found = kept.get(networkOf(address));
    return found !== undefined && now() - found.since < window ? found : undefined;
  };
  return {
    count: (address) => {
      const failures = current(address) ?? { count: 0, since: now() };
      failures.count += 1;
      kept.set(networkOf(address), failures);
      return failures.count;
    },
    takeBack: (address) => {
      const failures = current(address);
      if (failures !== undefined && --failures.count === 0) kept.delete(networkOf(address));
    },
    secondsToWait: (address) => {
      const failures = current(address);
      if (failures === undefined || failures.count < most) return 0;
      return Math.max(1, Math.ceil((failures.since + window - now()) / 1_000));
    },
    size: () => kept.size,
  };
}

const GROUPS_OF_NETWORK = 4;
const GROUPS = 8;

/** What one subscriber has: an IPv4 address, an IPv6 network of 64 bits. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.toLowerCase().split('%', 1)[0]!.split('::');
  const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groupsOf(left), groupsOf(right ?? '')];
  const zeros = right === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  const network = groups.slice(0, GROUPS_OF_NETWORK).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
