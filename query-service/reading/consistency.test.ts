import type { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { ReadModel } from '@workledger/shared/contexts/define-row.ts';
import type { Problem } from '@workledger/shared/http/problem.ts';
import { createSettle, parseToken, tokenText, type Settle } from './consistency.ts';

const id = '0190a8a2-7b1c-7c3e-9d5a-1f2e3d4c5b6a';

it('reads several streams, with spaces between them or without', () => {
  expect(parseToken(`task-${id}@3, saga-code-evolution-${id}@0`)).toEqual([
    { stream: `task-${id}`, type: 'task', revision: 3 },
    { stream: `saga-code-evolution-${id}`, type: 'saga-code-evolution', revision: 0 },
  ]);
});

it('reads -1 as nothing to see', () => {
  expect(parseToken(`task-${id}@-1`)).toMatchObject([{ revision: -1 }]);
});

it.each(['', 'task', `task-${id}`, `task-${id}@`, `task-${id}@1.5`, `task-${id}@-2`, `Task-${id}@1`, `task-${id}@1,`])(
  'refuses "%s"',
  (token) => {
    expect(() => parseToken(token)).toThrow('the consistency token cannot be read');
  },
);

it('refuses more streams than a parameter and a header have room for', () => {
  expect(() => parseToken(Array.from({ length: 401 }, () => `task-${id}@1`).join(','))).toThrow('token');
});

/** A database in which no stream ever gets anywhere. */
const nowhere = { query: () => Promise.resolve({ rows: [] }) } as unknown as Pool;
const model = { name: 'tasks', version: 1, streams: ['task'] } as unknown as ReadModel<never>;

/** How often each outcome came when so many ask at the same time, and give up when all but `most` were told. @param waiters in turn */
async function outcomes(settle: Settle, waiters: readonly string[], most: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const patience = new AbortController();
  let told = 0;
  const ask = async (waiter: string): Promise<void> => {
    const problem: unknown = await settle(`task-${id}@1`, [model], patience.signal, waiter).catch(
      (error: unknown) => error,
    );
    const { code, headers } = problem as Problem;
    const name = `${code} ${headers['Retry-After']}`;
    counts[name] = (counts[name] ?? 0) + 1;
    told += 1;
    if (told === waiters.length - most) patience.abort();
  };
  await Promise.all(waiters.map(ask));
  return counts;
}

it('so many wait at the same time, in all and under one key; the others are told at once to come again', async () => {
  const settle = createSettle({ pool: nowhere, waitMilliseconds: 60_000, mostWaits: { inAll: 30, ofOne: 10 } });
  const ofOne = Array.from({ length: 200 }, () => 'one');
  const ofMany = Array.from({ length: 200 }, (_, index) => `key ${index}`);
  for (let round = 0; round < 2; round++) {
    expect(await outcomes(settle, ofOne, 10)).toEqual({ 'not-yet-visible 1': 10, 'unavailable 1': 190 });
    expect(await outcomes(settle, ofMany, 30)).toEqual({ 'not-yet-visible 1': 30, 'unavailable 1': 170 });
  }
});

describe('what the log knows', () => {
  const reads: unknown[] = [];
  const logWith = (...streams: readonly string[]) =>
    ({
      async *readStream(stream: string, options: object) {
        reads.push(options);
        if (streams.includes(stream)) yield {};
      },
    }) as unknown as EventLog;

  it('a thing that was just created has a token, and an unknown id none, for a read of one event', async () => {
    reads.length = 0;
    const settle = createSettle({ pool: nowhere, log: logWith(`task-${id}`) });
    expect(await settle.created(id, [model])).toBe(`task-${id}@0`);
    expect(await settle.created('0190a8a2-7b1c-7c3e-9d5a-1f2e3d4c5b6b', [model])).toBe('');
    expect(reads).toEqual(Array(2).fill({ from: 0, limit: 1 }));
  });

  it('nobody waits for a revision that the log does not have', async () => {
    reads.length = 0;
    const settle = createSettle({ pool: nowhere, log: logWith(), waitMilliseconds: 600_000 });
    const token = Array.from({ length: 100 }, () => `task-${id}@7`).join(',');
    await expect(settle(token, [model], new AbortController().signal, 'one')).rejects.toMatchObject({
      code: 'not-yet-visible',
    });
    expect(reads).toEqual([{ from: 7, limit: 1 }]);
  });
});

it('takes every token that fits a header, as OpenAPI describes it', () => {
  const token = Array.from({ length: 160 }, () => `task-${id}@123`).join(',');
  expect(tokenText.parse(token)).toBe(token);
  expect(new RegExp(String(tokenText.meta()?.['pattern'])).test(token)).toBe(true);
  expect(parseToken(token)).toHaveLength(160);
});
