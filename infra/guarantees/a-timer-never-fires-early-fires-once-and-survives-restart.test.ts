import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { sagasOf } from '../testing/system/saga.ts';
import { storageOf } from '../testing/system/storm.ts';
import { timersOf, type Timer } from './harness/timers.ts';
import { query } from '../testing/servers/database.ts';
import { until } from '../testing/processes/until.ts';

const LEASE_SECONDS = 5;

describe.each(engines)('a timer never fires early, fires once, and survives restart ($name)', (engine) => {
  let system: RunningSystem;
  let agentId: string;
  /** Timers that came due while nothing ran. */
  let missed: readonly Timer[];
  /** Timers that stood in the log when the job queue was lost. */
  let unqueued: readonly Timer[];

  const timers = async (): Promise<Timer[]> => timersOf(await sagasOf(system.client, 'saga'));

  /** Each claim is looked after some seconds later, whatever became of it. */
  const timersAtLeast = (count: number): Promise<Timer[]> =>
    until(`${count} timers`, async () => {
      const found = await timers();
      return found.length >= count && found;
    });

  /** The agent takes these tasks and is never heard of again. */
  async function claim(count: number): Promise<void> {
    const claimOne = async (): Promise<void> => {
      const { id } = await system.client.expect2xx('POST', '/tasks', { body: { title: 'Wait' } });
      await system.client.expect2xx('POST', `/tasks/${id}/claim`, { body: { agentId } });
    };
    await Promise.all(Array.from({ length: count }, claimOne));
  }

  beforeAll(async () => {
    system = await engine.start({ leaseSeconds: LEASE_SECONDS }, { storage: storageOf(engine.name) });
    const registration = { name: 'silent', capacity: 100 };
    agentId = (await system.client.expect2xx('POST', '/agents', { body: registration })).id;

    await claim(3);
    missed = await timersAtLeast(3);
    await system.kill9(...system.parts);
    await until('all of them to come due', () => missed.every(({ dueAt }) => Date.now() > dueAt.getTime()));
    await system.restart();

    const claiming = claim(6);
    claiming.catch(() => undefined);
    unqueued = (await timersAtLeast(missed.length + 2)).filter(({ firedAt }) => firedAt.length === 0);
    await system.kill9('service');
    await query(await system.databaseUrl(), 'drop schema graphile_worker cascade');
    await system.restart();
    const counts = async (...types: readonly string[]): Promise<readonly number[]> => {
      const events = await system.client.log();
      return types.map((wanted) => events.filter(({ type }) => type === wanted).length);
    };
    await until('every lease to end', async () => {
      const [claimed, expired] = await counts('TaskClaimed', 'TaskClaimExpired');
      return claimed === expired;
    });
    // A saga may hear of a reservation long after its lease has ended.
    await until('the timer of every reservation to fire', async () => {
      const all = await timers();
      const [reserved] = await counts('AgentReserved');
      return all.length === reserved && all.every(({ firedAt }) => firedAt.length > 0);
    });
    // Whatever would fire once more has the time to do so.
    await pause(1_000);
  });
  afterAll(() => system.dispose());

  it('never fires before it is due, by the clock of the log', async () => {
    const early = (await timers()).filter(({ dueAt, firedAt }) => firedAt.some((at) => at < dueAt));
    expect(early).toEqual([]);
  });

  it('fires once, though it came due while nothing ran, or its queue was lost', async () => {
    expect(missed).toHaveLength(3);
    expect(unqueued).not.toEqual([]);
    const all = await timers();
    expect(all.filter(({ firedAt, requested }) => firedAt.length !== 1 || requested !== 1)).toEqual([]);
    const keys = all.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining([...missed, ...unqueued].map(({ key }) => key)));
  });

  it('and a lease that is not renewed runs out once, and never early', async () => {
    const events = await system.client.log();
    const claimsAt = (type: string): Map<string, number> =>
      new Map(
        events
          .filter((event) => event.type === type)
          .map(({ data, recordedAt }) => [(data as { claimId: string }).claimId, Date.parse(recordedAt)]),
      );
    const [claimed, expired] = [claimsAt('TaskClaimed'), claimsAt('TaskClaimExpired')];
    expect(claimed.size).toBeGreaterThanOrEqual(5);
    expect([...expired.keys()].sort()).toEqual([...claimed.keys()].sort());
    expect(events.filter(({ type }) => type === 'TaskClaimExpired')).toHaveLength(expired.size);
    const early = [...expired].filter(([claimId, at]) => at < (claimed.get(claimId) ?? 0) + LEASE_SECONDS * 1_000);
    expect(early).toEqual([]);
  });
});
