import type { Pool, PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { releasedOnce } from './run-effects.ts';

test('a client that is given back twice is given back once; all else is the pool’s own', async () => {
  const client = {} as PoolClient;
  const released: unknown[] = [];
  const pool = {
    size: 3,
    connect(callback?: (error: undefined, client: PoolClient, release: (reason?: unknown) => void) => void) {
      if (callback === undefined) return Promise.resolve(client);
      return callback(undefined, client, (reason) => void released.push(reason));
    },
    query() {
      return Promise.resolve(this.size);
    },
  };
  const safe = releasedOnce(pool as unknown as Pool);
  safe.connect((error, given, release) => {
    expect([error, given]).toEqual([undefined, client]);
    release(true);
    release();
  });
  expect(released).toEqual([true]);
  expect(await safe.connect()).toBe(client);
  expect(await safe.query('')).toBe(3);
});
