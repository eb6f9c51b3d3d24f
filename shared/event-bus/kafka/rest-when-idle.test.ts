import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import './client.ts';

describe('a connection of kafkajs', () => {
  let queue: RequestQueue;
  beforeEach(() => {
    vi.useFakeTimers();
    queue = new RequestQueue({
      requestTimeout: 1_000,
      enforceRequestTimeout: false,
      clientId: 'test',
      broker: 'nowhere:9092',
      logger: { debug: () => undefined },
    });
  });
  afterEach(() => {
    queue.destroy();
    vi.useRealTimers();
  });

  it('rests while nothing waits', () => {
    queue.checkPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends what the broker throttled when that is over, and rests', async () => {
    const sent: number[] = [];
    queue.maybeThrottle(400);
    queue.push({ entry: { correlationId: 7, resolve: () => undefined }, sendRequest: () => sent.push(7) });
    await vi.advanceTimersByTimeAsync(300);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(sent).toEqual([7]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
