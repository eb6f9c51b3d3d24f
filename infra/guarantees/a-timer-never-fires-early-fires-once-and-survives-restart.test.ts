import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { sagasOf } from '../testing/system/saga.ts';
import { timersOf, type Timer } from './harness/timers.ts';
import { query } from '../testing/servers/database.ts';
import { until } from '../testing/processes/until.ts';

const LEASE_SECONDS = 8;

describe.each(engines)('a timer never fires early, fires once, and survives restart ($name)', (engine) => {
  let system: RunningSystem;
  let agentId: string;
  /** Timers that came due while nothing ran. */
  let missed: readonly Timer[];
  /** Timers that stood in the log when the job queue was lost. */
  let unqueued: readonly Timer[];

  const timers = async (): Promise<Timer[]> => timersOf(await sagasOf(system.client, 'saga'));
  const leases = async (): Promise<Timer[]> => (await timers()).filter(({ key }) => key.startsWith('lease/'));

  const leasesOf = (count: number): Promise<Timer[]> =>
    until(`${count} leases`, async () => {
      const found = await leases();
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
    system = await engine.start({ leaseSeconds: LEASE_SECONDS });
    const registration = { name: 'silent', capacity: 100 };
    agentId = (await system.client.expect2xx('POST', '/agents', { body: registration })).id;

    await claim(3);
    missed = await leasesOf(3);
    await system.kill9('service', 'storage');
    await until('all leases to run out', () => missed.every(({ dueAt }) => Date.now() > dueAt.getTime()));
    await system.restart();

    const claiming = claim(6);
    claiming.catch(() => undefined);
    unqueued = (await leasesOf(missed.length + 2)).filter(({ firedAt }) => firedAt.length === 0);
    await system.kill9('service');
    await query(await system.databaseUrl(), 'drop schema graphile_worker cascade');
    await system.restart();
    await until('every lease to end', async () => {
      const claims = (await system.client.log()).filter(({ type }) => /^TaskClaim(ed|Expired)$/.test(type));
      return claims.filter(({ type }) => type === 'TaskClaimed').length * 2 === claims.length;
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
    const all = await leases();
    expect(all.filter(({ firedAt, requested }) => firedAt.length !== 1 || requested !== 1)).toEqual([]);
    const keys = all.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining([...missed, ...unqueued].map(({ key }) => key)));
  });

  it('does what it is for, once: each claim that was not renewed is taken back', async () => {
    const events = await system.client.log();
    const claimsThat = (type: string): string[] =>
      events.filter((event) => event.type === type).map(({ data }) => (data as { claimId: string }).claimId);
    expect(claimsThat('TaskClaimed').length).toBeGreaterThanOrEqual(5);
    expect(claimsThat('TaskClaimExpired').sort()).toEqual(claimsThat('TaskClaimed').sort());
  });
});
