import type { Answer } from '@workledger/shared/outbound/exchange.ts';
import type { Limit } from '@workledger/shared/outbound/outbound.ts';
import { retryAfter } from '@workledger/shared/outbound/pace.ts';

const SECONDARY = /secondary rate limit|abuse detection/i;
/** Milliseconds to wait where a secondary limit names no time; doubles with each one in a row. */
const SECONDARY_MS = 60_000;
const MOST_DOUBLINGS = 5;
/** A reset that has come already, by our clock, may not have by theirs. */
const SHORTEST_MS = 1_000;

/**
 * Reads GitHub's limits from its answers: the hourly one (also from an answer that is fine and was the last), and the secondary ones.
 * Source: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function createGithubLimits(): (answer: Answer, now: number) => Limit | null {
  let inARow = 0;
  return ({ status, headers, body }, now) => {
    const header = (name: string): string | undefined => [headers[name] ?? []].flat()[0];
    const isRefused = status === 403 || status === 429;
    const after = isRefused || status === 503 ? retryAfter(header('retry-after'), now) : null;
    if (after !== null) return { until: after, why: 'it asks for a pause' };
    const reset = Number(header('x-ratelimit-reset'));
    if (header('x-ratelimit-remaining') === '0' && reset > 0 && (isRefused || status < 400))
      return { until: new Date(Math.max(1_000 * reset, now + SHORTEST_MS)), why: 'its hourly limit is used up' };
    if (status < 400) inARow = 0;
    if (status !== 429 && !(isRefused && SECONDARY.test(body.toString('utf8', 0, 10_000)))) return null;
    inARow += 1;
    const milliseconds = SECONDARY_MS * 2 ** Math.min(inARow - 1, MOST_DOUBLINGS);
    return { until: new Date(now + milliseconds), why: 'its secondary limit is reached' };
  };
}
