import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstArrivals, openRelayTest, type RelayTest } from './testing/relay-test.ts';
import { startRelayProcess, type RelayProcess, createArrivals, readArrivals } from './testing/relay-process.ts';

const LEASE = 1_000;

let test: RelayTest;
let processes: RelayProcess[];

beforeEach(async () => {
  test = await openRelayTest();
  await createArrivals(test.database.pool);
  processes = [];
});

afterEach(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  await test.close();
});

const arrivals = (): ReturnType<typeof readArrivals> => readArrivals(test.database.pool);

function start(): RelayProcess {
  const process = startRelayProcess(test.database.url, LEASE, 20);
  processes.push(process);
  return process;
}

/** Two relays: the one that leads and has sent some, but not all, and the one that stands by. */
async function inTheMiddle(): Promise<[leader: RelayProcess, standby: RelayProcess]> {
  await test.fill({ streams: 40, events: 500 });
  const both = [start(), start()];
  await untilTrue(async () => (await arrivals()).length > 0);
  const { owner } = await test.leader();
  const isLeader = ({ pid }: RelayProcess): boolean => String(pid) === owner;
  return [both.find(isLeader)!, both.find((process) => !isLeader(process))!];
}

const allArrived = async (): Promise<boolean> => (await test.leader()).checkpoint === (await test.log.head());

async function expectNothingMissing(): Promise<void> {
  expect(firstArrivals(await arrivals())).toEqual(firstArrivals(await test.logged()));
}

describe('relays in processes of their own', () => {
  it('lose nothing and keep every stream in order when the leader is killed', async () => {
    const [leader, standby] = await inTheMiddle();
    await leader.kill();
    await untilTrue(async () => (await test.leader()).owner === String(standby.pid));
    await untilTrue(allArrived);
    await expectNothingMissing();
  });

  it('let a leader that was frozen send at most its one batch once another leads, and its checkpoint is refused', async () => {
    const [frozen, standby] = await inTheMiddle();
    frozen.signal('SIGSTOP');
    const { epoch } = await test.leader();
    await untilTrue(async () => (await test.leader()).epoch > epoch);
    await untilTrue(async () => (await arrivals()).at(-1)?.process === standby.pid);
    frozen.signal('SIGCONT');
    await untilTrue(() => frozen.said.includes('another relay leads: this one has stopped sending'));
    await test.fill({ streams: 5, events: 400 });
    await untilTrue(allArrived);
    await expectNothingMissing();
    const all = await arrivals();
    const since = all.slice(all.findIndex(({ process }) => process === standby.pid));
    const late = new Set(since.filter(({ process }) => process === frozen.pid).map(({ batch }) => batch));
    expect(late.size).toBeLessThanOrEqual(1);
    expect(await test.leader()).toMatchObject({ owner: String(standby.pid), epoch: epoch + 1n });
  });

  it('hand over when the leader is asked to stop, repeating nothing', async () => {
    const [leader] = await inTheMiddle();
    await leader.kill('SIGTERM');
    await untilTrue(allArrived);
    await expectNothingMissing();
    expect(await arrivals()).toHaveLength((await test.logged()).length);
  });
});
